import { SegmentSource } from "../../src/bytes/mod.ts";
import type { Placed } from "../../src/format/mod.ts";
import type { Field } from "../../src/layout/mod.ts";
import { type Editable, valueAt } from "./apply.ts";
import type { Dictionary } from "./dictionary.ts";
import { type EditDraw, ROLES } from "./draws.ts";
import type { Edit } from "./edit.ts";
import { Places } from "./places.ts";
import { pick, sealedEdit } from "./sealed.ts";
import { interestingValues } from "./values.ts";

/** The context for resolving draws. */
export interface Resolving {
  /** Unit of allocation in bytes, for offsets that are off by one unit. */
  readonly unit: number;
  readonly dictionary?: Dictionary;
  /** Places that are hit as often as data: those that much depends on, and that are few. */
  readonly favourite?: (place: Placed) => boolean;
}

/** The edits that draws come to for an image: those of the text of JSON last, since they leave none. */
export function resolveDraws(
  image: Editable,
  draws: readonly EditDraw[],
  options: Resolving,
): Edit[] {
  return inOrder(draws.flatMap((draw) => resolveDraw(image, draw, options) ?? []));
}

/** Edits in an order in which each of them has an effect. */
export function inOrder(edits: Edit[]): Edit[] {
  return edits.length < 2 ? edits : edits.toSorted((a, b) => turn(a) - turn(b));
}

/** Any bytes first, since checksums that are made right cover them. */
function turn({ op, sealed }: Edit): number {
  return op === "letters" ? 2 : op.startsWith("json") || sealed === true ? 1 : 0;
}

function resolveDraw(image: Editable, draw: EditDraw, options: Resolving): Edit | undefined {
  switch (draw.sort) {
    case "bytes":
      return { op: "xor", ...someByte(image, draw) };
    case "file":
      return fileEdit(image, draw);
    case "json":
    case "letters":
    case "sealed":
    case "bits":
      return sealedEdit(image, draw, options.dictionary ?? {}) ??
        resolveDraw(image, { ...draw, sort: "value" }, options);
    case "text":
      return textEdit(image, draw, options) ??
        resolveDraw(image, { ...draw, sort: "value" }, options);
    default:
      return placeEdit(image, { ...draw, sort: draw.sort }, options);
  }
}

/** Sorts of edits of a structure or a field. */
type PlaceDraw = EditDraw & {
  readonly sort: "value" | "word" | "copy" | "point" | "flip" | "structure";
};

function placeEdit(image: Editable, draw: PlaceDraw, options: Resolving): Edit | undefined {
  const role = ROLES[draw.role];
  const hasRole = (place: Placed): boolean =>
    role === "favourite" ? options.favourite?.(place) ?? false : place.role === role;
  const place = pick(image.placed.filter(hasRole), draw.place) ?? pick(image.placed, draw.place);
  if (place === undefined) return undefined;
  const owner = elementOf(place, draw.element);
  if (draw.sort === "structure") return structureEdit(image, draw, owner);
  const field = pick((owner.struct?.fields ?? []).filter(isInteger), draw.field);
  if (field === undefined) {
    return { op: "xor", offset: place.offset + draw.element % place.length, bits: bitsOf(draw) };
  }
  const path = `${owner.path}/${field.name}`;
  return fieldEdit(image, { ...draw, sort: draw.sort }, { path, field, unit: options.unit });
}

/** A text of a structure or, of what is no text, one byte; `undefined` where there is no text. */
function textEdit(
  image: Editable,
  draw: EditDraw,
  { dictionary }: Resolving,
): Edit | undefined {
  if (dictionary?.texts === undefined) return undefined;
  const textsOf = (field: Field): readonly string[] =>
    isInteger(field) ? [] : dictionary.texts?.(field) ?? [];
  const hasTexts = ({ struct }: Placed): boolean =>
    (struct?.fields ?? []).some((field) => textsOf(field).length > 0);
  // With a text in one structure, others of the same format have keys and salts.
  const [first] = image.placed.filter(hasTexts);
  const room = first?.struct?.name.split(".")[0];
  const place = pick(
    image.placed.filter(({ struct }) => room !== undefined && struct?.name.split(".")[0] === room),
    draw.place,
  );
  if (place === undefined) return undefined;
  const owner = elementOf(place, draw.element);
  const field = pick((owner.struct?.fields ?? []).filter((it) => !isInteger(it)), draw.field);
  if (field === undefined) return undefined;
  const path = `${owner.path}/${field.name}`;
  const text = pick(textsOf(field), draw.value);
  if (text !== undefined) return { op: "text", path, text, fill: pick(FILLS, draw.other) ?? 0 };
  const at = Places.of(image.placed).field(path);
  if (at === undefined) return undefined;
  return { op: "xor", offset: at.offset + draw.value % field.width, bits: bitsOf(draw) };
}

/** The bytes after a text: NUL bytes, or none. */
const FILLS = [0, 0, 0, 0x20, 0xff] as const;

function isInteger(field: Field): boolean {
  return field.kind !== "bytes";
}

/** A structure as it is; of a table, one element. */
function elementOf(place: Placed, index: number): Placed {
  const { struct, count } = place;
  if (struct === undefined || count === undefined || count === 0) return place;
  const element = index % count;
  return {
    path: `${place.path}/${element}`,
    offset: place.offset + element * struct.size,
    length: struct.size,
    struct,
    role: place.role,
  };
}

function fieldEdit(
  image: Editable,
  draw: EditDraw & { readonly sort: Exclude<PlaceDraw["sort"], "structure"> },
  { path, field, unit }: { path: string; field: Field; unit: number },
): Edit | undefined {
  switch (draw.sort) {
    case "value": {
      const at = Places.of(image.placed).field(path);
      if (at === undefined) return undefined;
      const value = valueAt(new SegmentSource(image.segments, image.size), at);
      const around = { fileSize: image.size, clusterSize: unit, value };
      const chosen = pick(interestingValues(field, around), draw.value);
      return chosen === undefined ? undefined : { op: "set", path, value: chosen };
    }
    case "word":
      return { op: "set", path, value: BigInt(draw.value) * 65537n + BigInt(draw.other) };
    case "copy": {
      const owner = pick(image.placed, draw.other);
      const from = owner === undefined ? undefined : elementOf(owner, draw.value);
      const theirs = pick((from?.struct?.fields ?? []).filter(isInteger), draw.value);
      if (from === undefined || theirs === undefined) return undefined;
      return { op: "copy", path, from: `${from.path}/${theirs.name}` };
    }
    case "point": {
      const at = pick(image.placed, draw.other);
      if (at === undefined) return undefined;
      const delta = pick([0, 0, 0, unit, 512, 1, -1, 8], draw.value) ?? 0;
      return { op: "point", path, at: at.path, delta };
    }
    case "flip":
      return { op: "flip", path, bit: draw.value % (8 * field.width) };
  }
}

function structureEdit(image: Editable, draw: EditDraw, place: Placed): Edit {
  const { path } = place;
  const likes = image.placed.filter((candidate) => candidate.role === place.role);
  const other = elementOf(pick(likes, draw.other) ?? place, draw.value).path;
  if (draw.value % 3 === 0) return { op: "drop", path };
  return draw.value % 3 === 1
    ? { op: "duplicate", path, from: other }
    : { op: "swap", path, with: other };
}

function someByte(image: Editable, draw: EditDraw): { offset: number; bits: number } {
  const segment = pick(image.segments, draw.place);
  const within = segment === undefined ? 0 : draw.element % Math.max(1, segment.bytes.length);
  return { offset: (segment?.offset ?? 0) + within, bits: bitsOf(draw) };
}

function bitsOf(draw: EditDraw): number {
  return draw.value % 2 === 0 ? 1 << draw.other % 8 : 1 + draw.other % 255;
}

/** The file is cut, made longer, or bytes are taken out of it and put into it. */
function fileEdit(image: Editable, draw: EditDraw): Edit {
  const place = pick(image.placed, draw.place);
  const at = (place?.offset ?? 0) + draw.element % Math.max(1, place?.length ?? 1);
  const pattern = { kind: "noise", seed: draw.other } as const;
  switch (draw.value % 4) {
    case 0:
      return { op: "resize", size: at };
    case 1:
      return { op: "resize", size: image.size + 1 + draw.other };
    case 2:
      return { op: "splice", offset: at, remove: 1 + draw.other % 64, insert: 0, pattern };
    default:
      return { op: "splice", offset: at, remove: 0, insert: 1 + draw.other % 64, pattern };
  }
}
