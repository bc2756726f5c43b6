import { type ByteSource, type Patch, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, patternBytes } from "../../src/format/mod.ts";
import { readField, writeField } from "../../src/layout/mod.ts";
import type { Edit } from "./edit.ts";
import { type FieldPlace, Places } from "./places.ts";
import { SplicedSource } from "./spliced.ts";

/** Longest run of bytes that an edit moves or makes. */
const MOVED_MAX = 2 ** 22;
const SECTOR = 512;
/** Longest file that an edit makes out of a shorter one. */
const SIZE_MAX = 2 ** 32;

/** The bytes of a built image after edits. The image itself is left as it is. */
export function applyEdits(image: BuiltImage, edits: readonly Edit[]): ByteSource {
  const built: ByteSource = new SegmentSource(image.segments, image.size);
  if (edits.length === 0) return built;
  const places = new Places(image.placed);
  return edits.reduce((source, edit) => applyEdit(source, edit, places), built);
}

function applyEdit(source: ByteSource, edit: Edit, places: Places): ByteSource {
  switch (edit.op) {
    case "set":
    case "copy":
    case "point":
    case "flip":
      return patched(source, fieldPatch(source, edit, places));
    case "text":
      return patched(source, textPatch(edit, places));
    case "swap":
    case "duplicate":
    case "drop":
      return patched(source, placePatches(source, edit, places));
    case "xor": {
      const byte = (source.read(edit.offset, 1)[0] as number) ^ edit.bits;
      const inside = edit.offset < source.size;
      return patched(source, inside ? [{ offset: edit.offset, bytes: Uint8Array.of(byte) }] : []);
    }
    case "resize":
      return new PatchedSource(source, [], Math.max(0, Math.min(edit.size, SIZE_MAX)));
    case "splice": {
      const insert = patternBytes(edit.pattern, Math.min(edit.insert, MOVED_MAX));
      return new SplicedSource(source, { offset: edit.offset, remove: edit.remove, insert });
    }
  }
}

function patched(source: ByteSource, patches: readonly Patch[]): ByteSource {
  return patches.length === 0 ? source : new PatchedSource(source, patches);
}

function fieldPatch(
  source: ByteSource,
  edit: Extract<Edit, { op: "set" | "copy" | "point" | "flip" }>,
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
  change: {
    edit: Extract<Edit, { op: "set" | "copy" | "point" | "flip" }>;
    field: FieldPlace;
    places: Places;
  },
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

/**
 * How a field says a byte offset. Those of a LUKS header count sectors, inside qcow2 from where the
 * header starts.
 */
function addressIn(
  offset: number,
  { field, places }: { field: FieldPlace; places: Places },
): number {
  if (field.field.unit !== "sectors") return offset;
  const embedded = field.path.startsWith("/luks/") ? places.place("/luks/header") : undefined;
  return Math.floor((offset - (embedded?.offset ?? 0)) / SECTOR);
}

function textPatch(edit: Extract<Edit, { op: "text" }>, places: Places): Patch[] {
  const field = places.field(edit.path);
  if (field === undefined) return [];
  const bytes = new Uint8Array(field.field.width).fill(edit.fill);
  bytes.set(new TextEncoder().encode(edit.text).subarray(0, bytes.length));
  return [{ offset: field.offset, bytes }];
}

/** The value of a field as the bytes have it now. */
export function valueAt(source: ByteSource, { offset, field }: FieldPlace): bigint {
  return readField(field, source.read(offset, field.width));
}

function placePatches(
  source: ByteSource,
  edit: Extract<Edit, { op: "swap" | "duplicate" | "drop" }>,
  places: Places,
): Patch[] {
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
