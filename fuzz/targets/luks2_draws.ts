import * as fc from "fast-check";
import type { Json } from "../../src/format/mod.ts";
import { type CopyName, header as headerStruct, type Luks2Model } from "../../src/luks2/mod.ts";
import { type EditDraw, editDraws, resolveDraws } from "../mutate/mod.ts";
import type { CopyChange, CopyEdit, Luks2Edit } from "./luks2_edits.ts";
import { copyText, isCopyEdit } from "./luks2_edits.ts";
import {
  HEADER_NUMBERS,
  HEADER_TEXTS,
  jsonValues,
  NAMES,
  PIECES,
  STRAY_VALUES,
} from "./luks2_values.ts";
import { builtLuks2 } from "./luks2_volume.ts";

/** An edit of copies before it is known what it applies to: numbers that pick places and values. */
export interface CopyDraw {
  readonly sort: "json" | "text" | "field" | "bits";
  readonly place: number;
  readonly how: number;
  readonly value: number;
  readonly other: number;
  readonly copies: CopyEdit["copies"];
  readonly unsummed: boolean;
}

/** An edit of copies, or of any bytes, before it is known what it applies to. */
export type Luks2Draw = CopyDraw | EditDraw;

const EDITS_MAX = 3;
const SECTOR = 512;

/**
 * One to three edits: more, and a case dies at once. Most of them leave checksums that are right, and
 * change both copies: what fails then has got past them.
 */
export function luks2Draws(): fc.Arbitrary<Luks2Draw[]> {
  const draw = fc.oneof<fc.WeightedArbitrary<Luks2Draw>[]>(
    { weight: 8, arbitrary: copyDraws() },
    { weight: 1, arbitrary: editDraws() },
  );
  return fc.array(draw, { minLength: 1, maxLength: EDITS_MAX });
}

/** Edits of one copy alone that leave its checksum as it was. */
export function garblingDraws(copies: CopyName): fc.Arbitrary<CopyDraw[]> {
  const draw = copyDraws().map((drawn): CopyDraw => ({ ...drawn, copies, unsummed: true }));
  return fc.array(draw, { minLength: 1, maxLength: EDITS_MAX });
}

function copyDraws(): fc.Arbitrary<CopyDraw> {
  return fc.record<CopyDraw>({
    sort: fc.oneof(
      { weight: 12, arbitrary: fc.constant("json" as const) },
      { weight: 3, arbitrary: fc.constant("text" as const) },
      { weight: 3, arbitrary: fc.constant("field" as const) },
      { weight: 1, arbitrary: fc.constant("bits" as const) },
    ),
    place: fc.nat(0xffff),
    how: fc.nat(15),
    value: fc.nat(0xffff),
    other: fc.nat(0xffff),
    copies: fc.constantFrom("both" as const, "both", "both", "both", "primary", "secondary"),
    unsummed: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.boolean()),
  });
}

/** The edits that draws come to: those of JSON before those of its text, which leave none. */
export function luks2Edits(model: Luks2Model, draws: readonly Luks2Draw[]): Luks2Edit[] {
  const { image } = builtLuks2(model);
  const edits = draws.flatMap((draw): Luks2Edit[] => {
    if (!("copies" in draw)) return resolveDraws(image, [draw], SECTOR);
    const change = changeOf(model, draw);
    const { copies, unsummed } = draw;
    return [{ ...change, copies, ...(unsummed ? { unsummed } : {}) }];
  });
  const order = (edit: Luks2Edit): number => isCopyEdit(edit) ? ORDER.indexOf(edit.op) : -1;
  return edits.sort((a, b) => order(a) - order(b));
}

const ORDER: readonly CopyChange["op"][] = [
  ...["json", "json-copy", "json-text", "number", "letters", "bits"] as const,
];

function changeOf(model: Luks2Model, draw: CopyDraw): CopyChange {
  switch (draw.sort) {
    case "json":
      return jsonChange(textOf(model), draw);
    case "text":
      return textChange(textOf(model), draw);
    case "field":
      return fieldChange(draw);
    case "bits": {
      const { how, place, value } = draw;
      // The binary header and the start of the JSON are a quarter of the smallest copy.
      const at = how % 2 === 0 ? place % SECTOR : place % model.headerSize;
      return { op: "bits", at, bits: value % 2 === 0 ? 1 << value % 8 : 1 + value % 255 };
    }
  }
}

/** The JSON of a volume as it was built, out of a copy that is as it should be. */
function textOf(model: Luks2Model): string {
  const offset = model.primary === "sound" || model.primary === "older" ? 0 : model.headerSize;
  const copy = builtLuks2(model).image.segments.find((segment) => segment.offset === offset);
  return copyText(copy?.bytes ?? new Uint8Array(0));
}

interface JsonPlace {
  readonly path: string;
  readonly name: string;
  readonly value: Json;
}

function placesIn(node: Json, path = ""): JsonPlace[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, value]: [string, Json]) => [
    { path: `${path}/${name}`, name, value },
    ...placesIn(value, `${path}/${name}`),
  ]);
}

function jsonChange(text: string, { place, how, value, other }: CopyDraw): CopyChange {
  const places = placesIn(JSON.parse(text));
  const { path, name, value: old } = pick(places, place);
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (how === 0) return { op: "json", path };
  if (how === 1) return { op: "json-copy", path, from: pick(places, other).path };
  if (how === 2) return { op: "json-copy", path: `${parent}/${pick(NAMES, other)}`, from: path };
  if (how === 3) {
    const target = `${parent}/${pick(NAMES, other)}`;
    return { op: "json", path: target, value: pick(STRAY_VALUES, value) };
  }
  const values = how === 4 ? STRAY_VALUES : jsonValues(name, old);
  return { op: "json", path, value: pick(values, value) };
}

/** What a parser sees as one: a mark, a text, or a number. */
const TOKEN = /[{}[\],:]|"[^"]*"|-?\d+/g;
/** So many times a piece is put into a text: enough to nest too deep, or to fill the area. */
const TIMES = [1, 1, 1, 1, 1, 1, 2, 31, 32, 33, 1000, 100_000];

function textChange(text: string, { place, how, value, other }: CopyDraw): CopyChange {
  const tokens = [...text.matchAll(TOKEN)];
  const token = pick(tokens, place);
  const insert = pick(PIECES, value);
  const times = pick(TIMES, other);
  const length = token[0].length;
  const edges = [text.length, 0, token.index + Math.floor(length / 2), token.index + length];
  const at = how < edges.length ? edges[how] as number : token.index;
  const remove = how < edges.length ? other % 3 : how % 2 === 0 ? length : 0;
  return { op: "json-text", at, remove, insert, times };
}

function fieldChange({ place, value, other }: CopyDraw): CopyChange {
  const field = pick(headerStruct.fields.filter(({ name }) => !name.startsWith("_")), place);
  const { name, kind } = field;
  if (kind !== "bytes") return { op: "number", field: name, value: pick(HEADER_NUMBERS, value) };
  const fill = pick([0, 0, 0, 0x20, 0xff], other);
  return { op: "letters", field: name, text: pick(HEADER_TEXTS, value), fill };
}

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}
