import {
  type ByteSource,
  type Patch,
  PatchedSource,
  SECTOR,
  SegmentSource,
  utf8,
} from "../../src/bytes/mod.ts";
import { type BuiltImage, patternBytes } from "../../src/format/mod.ts";
import { readField, writeField } from "../../src/layout/mod.ts";
import type { Edit, FieldEdit, JsonEdit, PlaceEdit } from "./edit.ts";
import { editJson } from "./json_text.ts";
import { type FieldPlace, Places } from "./places.ts";
import { SplicedSource } from "./spliced.ts";

/** A part of an image that has a checksum of itself in it: one of several copies, or the only one. */
export interface Seal {
  /** The first name of the paths in it: `primary` of `/primary/json`. */
  readonly name: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** The bytes with the checksum that they have to have. */
  seal(bytes: Uint8Array): Uint8Array;
}

/** A built image with the context of its edits. */
export interface Editable extends BuiltImage {
  /** The checksums in the image. */
  readonly seals?: readonly Seal[];
}

/** Longest run of bytes that an edit moves or makes. */
const MOVED_MAX = 2 ** 22;
/** Longest file that an edit makes out of a shorter one. */
const SIZE_MAX = 2 ** 32;

/** The bytes of a built image after edits. The image itself does not change. */
export function applyEdits(image: Editable, edits: readonly Edit[]): ByteSource {
  const built: ByteSource = new SegmentSource(image.segments, image.size);
  if (edits.length === 0) return built;
  const places = Places.of(image.placed);
  const { seals = [] } = image;
  return edits.flatMap((edit) => eachCopy(edit, seals))
    .reduce((source, edit) => applyEdit(source, edit, { places, seals }), built);
}

/** An edit of all copies as one edit for each. */
function eachCopy(edit: Edit, seals: readonly Seal[]): Edit[] {
  if (!("path" in edit) || edit.path?.startsWith("/*") !== true) return [edit];
  const concrete = (text: string, name: string): string => text.replace(/^\/\*/, `/${name}`);
  return seals.map(({ name }) => {
    const paths = Object.entries(edit).map(([member, value]): [string, unknown] => {
      const isPath = typeof value === "string" && (member === "path" || PATHS[edit.op] === member);
      return [member, isPath ? concrete(value, name) : value];
    });
    return Object.fromEntries(paths) as unknown as Edit;
  });
}

/** The member of an edit that names another place of the image. */
const PATHS: Readonly<Partial<Record<Edit["op"], string>>> = {
  copy: "from",
  duplicate: "from",
  swap: "with",
};

interface Surroundings {
  readonly places: Places;
  readonly seals: readonly Seal[];
}

function applyEdit(source: ByteSource, edit: Edit, { places, seals }: Surroundings): ByteSource {
  if (edit.op === "resize") {
    const most = Math.max(SIZE_MAX, 2 * source.size);
    return new PatchedSource(source, [], Math.max(0, Math.min(edit.size, most)));
  }
  if (edit.op === "splice") {
    const insert = patternBytes(edit.pattern, Math.min(edit.insert, MOVED_MAX));
    return new SplicedSource(source, { offset: edit.offset, remove: edit.remove, insert });
  }
  const patches = patchesOf(source, edit, places);
  if (patches.length === 0) return source;
  const patched = new PatchedSource(source, patches);
  if (edit.sealed !== true) return patched;
  const sealed = seals.filter(({ offset, length }) =>
    offset + length <= source.size &&
    patches.some((patch) =>
      patch.offset < offset + length && offset < patch.offset + patch.bytes.length
    )
  ).map(({ offset, length, seal }) => ({
    offset,
    bytes: seal(patched.read(offset, length).slice()),
  }));
  return sealed.length === 0 ? patched : new PatchedSource(patched, sealed);
}

function patchesOf(
  source: ByteSource,
  edit: Exclude<Edit, { op: "resize" | "splice" }>,
  places: Places,
): Patch[] {
  switch (edit.op) {
    case "set":
    case "copy":
    case "point":
    case "flip":
      return fieldPatch(source, edit, places);
    case "text":
      return textPatch(edit, places);
    case "swap":
    case "duplicate":
    case "drop":
      return placePatches(source, edit, places);
    case "json":
    case "json-copy":
    case "json-move":
    case "letters":
      return jsonPatch(source, edit, places);
    case "xor": {
      const place = edit.path === undefined ? { offset: 0 } : places.place(edit.path);
      const offset = (place?.offset ?? source.size) + edit.offset;
      if (offset >= source.size) return [];
      return [{ offset, bytes: Uint8Array.of((source.read(offset, 1)[0] as number) ^ edit.bits) }];
    }
  }
}

function fieldPatch(
  source: ByteSource,
  edit: Exclude<FieldEdit, { op: "text" }>,
  places: Places,
): Patch[] {
  const field = places.field(edit.path);
  if (field === undefined) return [];
  const value = newValue(source, { edit, field, places });
  if (value === undefined) return [];
  const bytes = new Uint8Array(field.field.width);
  writeField(field.field, value, { target: bytes, at: 0 });
  return [{ offset: field.offset, bytes }];
}

function newValue(
  source: ByteSource,
  change: { edit: Exclude<FieldEdit, { op: "text" }>; field: FieldPlace; places: Places },
): bigint | undefined {
  const { edit, field, places } = change;
  switch (edit.op) {
    case "set":
      return edit.value;
    case "copy": {
      const from = places.field(edit.from);
      return from === undefined ? undefined : valueAt(source, from);
    }
    case "point": {
      const at = places.place(edit.at);
      return at === undefined ? undefined : BigInt(addressIn(at.offset + edit.delta, change));
    }
    case "flip":
      return valueAt(source, field) ^ (1n << BigInt(edit.bit));
  }
}

/** A byte offset as a field stores it. Fields that count sectors count them from their own header. */
function addressIn(
  offset: number,
  { field, places }: { field: FieldPlace; places: Places },
): number {
  if (field.field.unit !== "sectors") return offset;
  return Math.floor((offset - places.start(field.path)) / SECTOR);
}

function textPatch(edit: Extract<Edit, { op: "text" }>, places: Places): Patch[] {
  const field = places.field(edit.path);
  if (field === undefined) return [];
  const bytes = new Uint8Array(field.field.width).fill(edit.fill);
  bytes.set(utf8(edit.text).subarray(0, bytes.length));
  return [{ offset: field.offset, bytes }];
}

/** The value of a field as the bytes have it now. */
export function valueAt(source: ByteSource, { offset, field }: FieldPlace): bigint {
  return readField(field, source.read(offset, field.width));
}

function placePatches(source: ByteSource, edit: PlaceEdit, places: Places): Patch[] {
  const place = places.place(edit.path);
  if (place === undefined) return [];
  if (edit.op === "drop") {
    return [{ offset: place.offset, bytes: new Uint8Array(Math.min(place.length, MOVED_MAX)) }];
  }
  const other = places.place(edit.op === "swap" ? edit.with : edit.from);
  if (other === undefined) return [];
  const length = Math.min(place.length, other.length, MOVED_MAX);
  const theirs = { offset: place.offset, bytes: source.read(other.offset, length).slice() };
  if (edit.op === "duplicate") return [theirs];
  return [theirs, { offset: other.offset, bytes: source.read(place.offset, length).slice() }];
}

function jsonPatch(source: ByteSource, edit: JsonEdit, places: Places): Patch[] {
  const place = places.place(edit.path);
  // Truncated JSON is not JSON any more.
  if (place === undefined || place.offset + place.length > source.size) return [];
  return [{ offset: place.offset, bytes: editJson(source.read(place.offset, place.length), edit) }];
}
