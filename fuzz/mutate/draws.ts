import * as fc from "fast-check";
import { SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import type { Field } from "../../src/layout/mod.ts";
import { header as luksHeader, keySlot } from "../../src/luks1/mod.ts";
import { valueAt } from "./apply.ts";
import type { Edit } from "./edit.ts";
import { Places } from "./places.ts";
import { interestingTexts } from "./texts.ts";
import { interestingValues } from "./values.ts";

/**
 * An edit before it is known what it applies to: numbers that pick a place, a field and a value of
 * whatever image there is. Zeros pick the first of each.
 */
export interface EditDraw {
  readonly sort: Sort;
  /** Which role of place: see {@link ROLES}. */
  readonly role: number;
  readonly place: number;
  readonly element: number;
  readonly field: number;
  readonly value: number;
  readonly other: number;
}

type Sort =
  | "value"
  | "word"
  | "copy"
  | "point"
  | "text"
  | "flip"
  | "structure"
  | "bytes"
  | "file";

/**
 * Tables more often than the header: what fails there has got past it. What says how an image is
 * encrypted, where there is such, is met as often as its other data.
 */
const ROLES: readonly (Placed["role"] | "encryption")[] = [
  "table",
  "table",
  "table",
  "header",
  "table",
  "data",
  "encryption",
];

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });

/** One edit of any sort. Values of declared fields are the most frequent. */
export function editDraws(): fc.Arbitrary<EditDraw> {
  return fc.record({
    sort: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Sort>("value") },
      { weight: 2, arbitrary: fc.constant<Sort>("word") },
      { weight: 2, arbitrary: fc.constant<Sort>("copy") },
      { weight: 5, arbitrary: fc.constant<Sort>("point") },
      { weight: 2, arbitrary: fc.constant<Sort>("text") },
      { weight: 4, arbitrary: fc.constant<Sort>("flip") },
      { weight: 2, arbitrary: fc.constant<Sort>("structure") },
      { weight: 2, arbitrary: fc.constant<Sort>("bytes") },
      { weight: 1, arbitrary: fc.constant<Sort>("file") },
    ),
    role: small(ROLES.length - 1),
    place: small(0xffff),
    element: fc.oneof(small(7), small(0xffff)),
    field: small(0xff),
    value: small(0xffff),
    other: small(0xffff),
  });
}

/** One to three edits: more, and a case dies in the header. */
export function editLists(): fc.Arbitrary<EditDraw[]> {
  return fc.array(editDraws(), { minLength: 1, maxLength: 3 });
}

/** The edits that draws come to for an image. */
export function resolveDraws(
  image: BuiltImage,
  draws: readonly EditDraw[],
  clusterSize: number,
): Edit[] {
  return draws.flatMap((draw) => resolveDraw(image, draw, clusterSize) ?? []);
}

function resolveDraw(image: BuiltImage, draw: EditDraw, clusterSize: number): Edit | undefined {
  if (draw.sort === "bytes") return { op: "xor", ...someByte(image, draw) };
  if (draw.sort === "file") return fileEdit(image, draw);
  if (draw.sort === "text") {
    return textEdit(image, draw) ?? resolveDraw(image, { ...draw, sort: "value" }, clusterSize);
  }
  const role = ROLES[draw.role];
  const place = pick(
    image.placed.filter((candidate) => hasRole(candidate, role)),
    draw.place,
  ) ?? pick(image.placed, draw.place);
  if (place === undefined) return undefined;
  if (draw.sort === "structure") return structureEdit(image, draw, elementOf(place, draw.element));
  const owner = elementOf(place, draw.element);
  const field = pick((owner.struct?.fields ?? []).filter(isInteger), draw.field);
  if (field === undefined) {
    return { op: "xor", offset: place.offset + draw.element % place.length, bits: bitsOf(draw) };
  }
  return fieldEdit(image, { ...draw, sort: draw.sort }, {
    path: `${owner.path}/${field.name}`,
    field,
    clusterSize,
  });
}

function hasRole(place: Placed, role: typeof ROLES[number] | undefined): boolean {
  return role === "encryption" ? isEncryption(place) : place.role === role;
}

/** A LUKS header or a part of it, inside an image or by itself, or what leads there. */
function isEncryption({ path, struct }: Placed): boolean {
  return /^\/(luks\/|encryption_header|key_material)/.test(path) ||
    /^luks1\./.test(struct?.name ?? "");
}

/** A text of a LUKS header or, of what is no text, one byte; `undefined` where there is no header. */
function textEdit(image: BuiltImage, draw: EditDraw): Edit | undefined {
  const place = pick(image.placed.filter(isText), draw.place);
  if (place === undefined) return undefined;
  const owner = elementOf(place, draw.element);
  const fields = (owner.struct?.fields ?? []).filter((field) => !isInteger(field));
  const field = pick(fields, draw.field);
  if (field === undefined) return undefined;
  const path = `${owner.path}/${field.name}`;
  const text = pick(interestingTexts(field), draw.value);
  if (text !== undefined) {
    return { op: "text", path, text, fill: pick(FILLS, draw.other) ?? 0 };
  }
  const at = new Places(image.placed).field(path);
  if (at === undefined) return undefined;
  return { op: "xor", offset: at.offset + draw.value % field.width, bits: bitsOf(draw) };
}

/** What stands behind a text: NUL bytes, or none. */
const FILLS = [0, 0, 0, 0x20, 0xff] as const;

/** A LUKS header and its slots, whose texts decide how everything else is read. */
function isText({ struct }: Placed): boolean {
  return struct === luksHeader || struct === keySlot;
}

function isInteger(field: Field): boolean {
  return field.kind !== "bytes";
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
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
  image: BuiltImage,
  draw: EditDraw & { sort: "value" | "word" | "copy" | "point" | "flip" },
  target: { path: string; field: Field; clusterSize: number },
): Edit | undefined {
  const { path, field, clusterSize } = target;
  switch (draw.sort) {
    case "value": {
      const places = new Places(image.placed);
      const at = places.field(path);
      if (at === undefined) return undefined;
      const value = valueAt(new SegmentSource(image.segments, image.size), at);
      const around = { fileSize: image.size, clusterSize, value };
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
      const delta = pick([0, 0, 0, clusterSize, 512, 1, -1, 8], draw.value) ?? 0;
      return { op: "point", path, at: at.path, delta };
    }
    case "flip":
      return { op: "flip", path, bit: draw.value % (8 * field.width) };
  }
}

function structureEdit(image: BuiltImage, draw: EditDraw, place: Placed): Edit {
  const { path } = place;
  const likes = image.placed.filter((candidate) => candidate.role === place.role);
  const other = elementOf(pick(likes, draw.other) ?? place, draw.value).path;
  if (draw.value % 3 === 0) return { op: "drop", path };
  return draw.value % 3 === 1
    ? { op: "duplicate", path, from: other }
    : { op: "swap", path, with: other };
}

function someByte(image: BuiltImage, draw: EditDraw): { offset: number; bits: number } {
  const segment = pick(image.segments, draw.place);
  const within = segment === undefined ? 0 : draw.element % Math.max(1, segment.bytes.length);
  return { offset: (segment?.offset ?? 0) + within, bits: bitsOf(draw) };
}

function bitsOf(draw: EditDraw): number {
  return draw.value % 2 === 0 ? 1 << draw.other % 8 : 1 + draw.other % 255;
}

/** The file is cut, made longer, or bytes are taken out of it and put into it. */
function fileEdit(image: BuiltImage, draw: EditDraw): Edit {
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
