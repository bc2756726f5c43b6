import { SECTOR, SegmentSource } from "../../src/bytes/mod.ts";
import type { Json, Placed } from "../../src/format/mod.ts";
import type { Editable } from "./apply.ts";
import { type Dictionary, JSON_PIECES, STRAY_VALUES, strayValues } from "./dictionary.ts";
import { ALL_COPIES, type EditDraw } from "./draws.ts";
import type { Edit } from "./edit.ts";
import { jsonText } from "./json_text.ts";

/** The edit of parts with a checksum that a draw comes to; `undefined` where there are none. */
export function sealedEdit(
  image: Editable,
  draw: EditDraw,
  dictionary: Dictionary,
): Edit | undefined {
  const { copy = 0, unsealed = false } = draw;
  const seals = image.seals ?? [];
  const [first] = seals;
  if (first === undefined) return undefined;
  const one = seals[Math.max(0, copy - ALL_COPIES) % seals.length] ?? first;
  const path = seals.length > 1 && copy < ALL_COPIES ? "/*" : `/${one.name}`;
  const change = changeOf(image, draw, { path, length: one.length, dictionary });
  if (change === undefined) return undefined;
  return unsealed ? change : { ...change, sealed: true };
}

interface Part {
  /** Of one copy, or of all. */
  readonly path: string;
  readonly length: number;
  readonly dictionary: Dictionary;
}

function changeOf(image: Editable, draw: EditDraw, part: Part): Edit | undefined {
  const { sort, place, element, value } = draw;
  if (sort === "sealed") return fieldChange(image, draw, part);
  if (sort === "bits") {
    // Often in the first sector, where the fields are.
    const offset = place % (element % 2 === 0 ? SECTOR : part.length);
    const bits = value % 2 === 0 ? 1 << value % 8 : 1 + value % 255;
    return { op: "xor", path: part.path, offset, bits };
  }
  const found = jsonIn(image);
  if (found === undefined) return undefined;
  const path = `${part.path}/json`;
  if (sort === "letters") return lettersChange(found.text, draw, path);
  return jsonChange(found.root, draw, { ...part, path });
}

interface JsonText {
  readonly text: string;
  readonly root: Json;
}

/** The JSON of images that several edits are drawn for; `undefined` where an image has none. */
const known = new WeakMap<Editable, { readonly json: JsonText | undefined }>();

function jsonIn(image: Editable): JsonText | undefined {
  const made = known.get(image) ?? { json: firstJson(image) };
  known.set(image, made);
  return made.json;
}

/** A place called `json` holds JSON. The first one that is sound is what places are picked from. */
function firstJson(image: Editable): JsonText | undefined {
  const source = new SegmentSource(image.segments, image.size);
  for (const { path, offset, length } of image.placed) {
    if (!path.endsWith("/json")) continue;
    const text = jsonText(source.read(offset, length));
    try {
      return { text, root: JSON.parse(text) as Json };
    } catch {
      // A copy that was built damaged.
    }
  }
  return undefined;
}

interface JsonPlace {
  readonly member: string;
  readonly value: Json;
}

function placesIn(node: Json, parent = ""): JsonPlace[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, value]: [string, Json]) => [
    { member: `${parent}/${name}`, value },
    ...placesIn(value, `${parent}/${name}`),
  ]);
}

function jsonChange(
  root: Json,
  { place, element: how, value, other }: EditDraw,
  { path, dictionary }: Part,
): Edit | undefined {
  const { json } = dictionary;
  const places = placesIn(root);
  const picked = pick(places, place);
  if (picked === undefined) return undefined;
  const { member, value: old } = picked;
  const parent = member.slice(0, member.lastIndexOf("/"));
  const elsewhere = `${parent}/${pick(json?.names ?? [], other) ?? "x"}`;
  const stray = pick(strayValues(dictionary), value) ?? null;
  switch (how) {
    case 0:
      return { op: "json", path, member };
    case 1:
      return { op: "json-copy", path, member, from: pick(places, other)?.member ?? member };
    case 2:
      return { op: "json-copy", path, member: elsewhere, from: member };
    case 3:
      return { op: "json", path, member: elsewhere, value: stray };
    case 4:
      return { op: "json", path, member, value: stray };
    case 5:
      return { op: "json-move", path, member, to: other % 8 };
    default: {
      const chosen = pick(json?.values(member, old) ?? STRAY_VALUES, value);
      return chosen === undefined ? undefined : { op: "json", path, member, value: chosen };
    }
  }
}

/** What a parser sees as one: a mark, a text, or a number. */
const TOKEN = /[{}[\],:]|"[^"]*"|-?\d+/g;
/** So many times a piece is put into a text: enough to nest too deep, or to fill the place. */
const TIMES = [1, 1, 1, 1, 1, 1, 2, 31, 32, 33, 1000, 100_000];

function lettersChange(
  text: string,
  { place, element: how, value, other }: EditDraw,
  path: string,
): Edit | undefined {
  const token = pick([...text.matchAll(TOKEN)], place);
  if (token === undefined) return undefined;
  const { index, 0: { length } } = token;
  const edges = [text.length, 0, index + Math.floor(length / 2), index + length];
  const offset = edges[how] ?? index;
  const remove = how < edges.length ? other % 3 : how % 2 === 0 ? length : 0;
  const insert = pick(JSON_PIECES, value) ?? "";
  return { op: "letters", path, offset, remove, insert, times: pick(TIMES, other) ?? 1 };
}

function fieldChange(
  image: Editable,
  { place, value, other }: EditDraw,
  { path, dictionary }: Part,
): Edit | undefined {
  const name = image.seals?.[0]?.name;
  const header = image.placed.find((candidate: Placed) => candidate.path === `/${name}`);
  const fields = header?.struct?.fields ?? [];
  const field = pick(fields.filter(({ name }) => !name.startsWith("_")), place);
  if (field === undefined) return undefined;
  const at = `${path}/${field.name}`;
  if (field.kind !== "bytes") {
    const number = pick(dictionary.numbers ?? [0n, 1n, -1n], value) ?? 0n;
    return { op: "set", path: at, value: BigInt.asUintN(8 * field.width, number) };
  }
  const text = pick(dictionary.texts?.(field) ?? [""], value) ?? "";
  return { op: "text", path: at, text, fill: pick([0, 0, 0, 0x20, 0xff], other) ?? 0 };
}

/** One of a list, counted round. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}
