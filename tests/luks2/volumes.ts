/** Small LUKS2 volumes for tests, and the same with values of their JSON or header changed. */

import { type ByteSource, MemorySource, SegmentSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, imageText } from "../../src/format/mod.ts";
import { decode, writeUint } from "../../src/layout/mod.ts";
import { modelOf, UUID } from "../../corpus/cases/luks2/models.ts";
import { buildLuks2, header, type Luks2Model, withChecksum } from "../../src/luks2/mod.ts";
import type { Volume } from "./ours.ts";

export { modelOf, UUID };

export function sourceOf({ segments, size }: BuiltImage): ByteSource {
  return new SegmentSource(segments, size);
}

/** All bytes of a built file. */
export function bytesOf({ segments, size }: BuiltImage): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const segment of segments) bytes.set(segment.bytes, segment.offset);
  return bytes;
}

/** A built volume with the passphrase of its first key. */
export function volumeOf(options: Partial<Luks2Model> = {}): Volume {
  const model = modelOf(options);
  const { image, payload } = buildLuks2(model);
  return {
    source: sourceOf(image),
    ...(payload === undefined ? {} : { payload: sourceOf(payload) }),
    passphrase: model.keys[0]?.passphrase ?? "",
  };
}

/** JSON of a header, as loosely typed as an edit of it needs. */
// deno-lint-ignore no-explicit-any
export type AnyJson = any;

/** What is changed of a volume: in both copies unless it is said. */
export interface Change {
  /** Changes the JSON, or returns another text for it. */
  readonly json?: (root: AnyJson) => AnyJson;
  /** Changes the text of the JSON. */
  readonly text?: (text: string) => string;
  /** Sets fields of the binary header: numbers, or bytes as letters. */
  readonly fields?: Readonly<Record<string, number | bigint | string>>;
  /** Changes a copy behind all that, the JSON and the checksum included. */
  readonly copy?: (copy: Uint8Array, name: "primary" | "secondary") => void;
  /** The checksum stays as it was. */
  readonly unsummed?: true;
  readonly only?: "primary" | "secondary";
  /** Another length of the file, and nothing else. */
  readonly size?: number;
}

const JSON_START = header.size;

const built = new Map<string, Uint8Array>();

/** The bytes of a volume, which many changes start from. */
function builtOnce(model: Luks2Model): Uint8Array {
  const key = JSON.stringify(model);
  const bytes = built.get(key) ?? bytesOf(buildLuks2(model).image);
  built.set(key, bytes);
  return bytes;
}

/** The bytes of a volume with changes made one after the other. */
export function changed(options: Partial<Luks2Model>, ...changes: readonly Change[]): Uint8Array {
  const model = modelOf(options);
  return changedBytes(builtOnce(model), model.headerSize, ...changes);
}

/** The same of any volume whose copies have `headerSize` bytes. */
export function changedBytes(
  volume: Uint8Array,
  headerSize: number,
  ...changes: readonly Change[]
): Uint8Array {
  let bytes = volume.slice();
  for (const change of changes) {
    if (change.size !== undefined) {
      const resized = new Uint8Array(change.size);
      resized.set(bytes.subarray(0, change.size));
      bytes = resized;
      continue;
    }
    for (const name of ["primary", "secondary"] as const) {
      if (change.only !== undefined && change.only !== name) continue;
      const offset = name === "primary" ? 0 : headerSize;
      const copy = bytes.slice(offset, offset + headerSize);
      bytes.set(changedCopy(copy, name, change), offset);
    }
  }
  return bytes;
}

function changedCopy(
  copy: Uint8Array,
  name: "primary" | "secondary",
  { json, text, fields = {}, copy: edit, unsummed }: Change,
): Uint8Array {
  const stored = new TextDecoder().decode(copy.subarray(JSON_START)).replace(/\0+$/, "");
  let said = stored;
  if (json !== undefined) {
    const root = JSON.parse(stored);
    const replaced = json(root);
    said = typeof replaced === "string" ? replaced : JSON.stringify(replaced ?? root);
  }
  if (text !== undefined) said = text(said);
  if (said !== stored) {
    copy.fill(0, JSON_START);
    const room = copy.length - JSON_START;
    copy.set(Uint8Array.from(said, (letter) => letter.charCodeAt(0)).subarray(0, room), JSON_START);
  }
  for (const [field, value] of Object.entries(fields)) setField(copy, field, value);
  edit?.(copy, name);
  const { csum_alg } = decode(header, copy);
  return unsummed ? copy : withChecksum(copy, imageText(csum_alg));
}

function setField(copy: Uint8Array, field: string, value: number | bigint | string): void {
  const { width = 0 } = header.fields.find(({ name }) => name === field) ?? {};
  const at = (header.offsets as Record<string, number>)[field] ?? 0;
  if (typeof value !== "string") return writeUint(copy, at, width, BigInt(value));
  copy.fill(0, at, at + width);
  copy.set(Uint8Array.from(value, (letter) => letter.charCodeAt(0)).subarray(0, width), at);
}

/** A volume with changes, and the passphrase of its first key. */
export function changedVolume(
  options: Partial<Luks2Model>,
  ...changes: readonly Change[]
): Volume {
  return {
    // Made when it is wanted: there are hundreds of them.
    get source() {
      return new MemorySource(changed(options, ...changes));
    },
    passphrase: "first",
  };
}
