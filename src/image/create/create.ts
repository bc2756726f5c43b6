import type { Segment } from "../../bytes/mod.ts";
import type { DiskContent } from "../../format/mod.ts";
import { createLuks1, type Luks1Options, Luks1Volume } from "../../luks1/mod.ts";
import { createQcow1, type Qcow1Creation } from "../../qcow1/mod.ts";
import { createQcow2, type Qcow2Creation } from "../../qcow2/create/mod.ts";

/** A raw image. */
export interface RawCreation {
  /** In bytes: whole sectors. */
  readonly size: number;
  /** Zeros where it is absent. */
  readonly content?: DiskContent;
}

/** A LUKS volume. */
export interface Luks1Creation extends RawCreation {
  /** Its header; detached as these say. */
  readonly luks: Luks1Options;
}

/** An image of any format. */
export type Creation =
  | { readonly format: "raw" } & RawCreation
  | { readonly format: "luks" } & Luks1Creation
  | { readonly format: "qcow" } & Qcow1Creation
  | { readonly format: "qcow2" } & Qcow2Creation;

/** Bytes at their place in one of the files of an image. */
export interface CreatedPart extends Segment {
  /** `header`: the file of a detached LUKS header; `data`: an external data file. */
  readonly file: "image" | "header" | "data";
}

/** Lengths in bytes of the files that an image has. */
export type CreatedSizes = Readonly<
  Partial<Record<CreatedPart["file"], number>> & { image: number }
>;

const SECTOR = 512;
/** Bytes that are encrypted at a time, and in a raw image a hole where they are zeros. */
const UNIT = 65536;
/** Zeros of so many bytes are passed over at a time. */
const ZEROS_MAX = 2 ** 21;

/**
 * Makes an image. The bytes come in parts, so that an image of any size is made in little memory; what
 * no part covers is zeros.
 *
 * @returns parts in no order, of which each is good until the next one, and an empty one now and then
 * while there are zeros to pass over; at last the lengths of the files
 * @throws {RangeError} when the options do not go together, or are out of their range
 * @throws {Luks1Error} when there is no such volume
 *
 * @example
 * ```ts
 * import { createImage } from "./mod.ts";
 *
 * const parts = createImage({ format: "raw", size: 1024 });
 * parts.next(); // { done: true, value: { image: 1024 } }
 * ```
 */
export function createImage(creation: Creation): Generator<CreatedPart, CreatedSizes> {
  switch (creation.format) {
    case "raw":
      return rawParts(creation);
    case "luks":
      return createVolume(creation);
    case "qcow":
      return qcow1Parts(createQcow1(creation));
    case "qcow2":
      return createQcow2(creation);
  }
}

function* rawParts({ size, content }: RawCreation): Generator<CreatedPart, CreatedSizes> {
  for (const { offset, bytes } of content?.(UNIT) ?? []) {
    if (bytes !== undefined) {
      yield { file: "image", offset, bytes: bytes.subarray(0, size - offset) };
    } else if (offset % ZEROS_MAX === 0) {
      yield { file: "image", offset, bytes: new Uint8Array(0) };
    }
  }
  return { image: size };
}

function* qcow1Parts(parts: Generator<Segment, number>): Generator<CreatedPart, CreatedSizes> {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return { image: value };
    yield { file: "image", ...value };
  }
}

function createVolume(creation: Luks1Creation): Generator<CreatedPart, CreatedSizes> {
  return volumeParts(creation, createLuks1(creation.luks));
}

/**
 * Without content, the payload is left a hole, as qemu-img and cryptsetup leave it: what a guest then
 * sees is noise, and nobody can tell how much was ever written.
 */
function* volumeParts(
  { luks, size, content }: Luks1Creation,
  { header, masterKey }: ReturnType<typeof createLuks1>,
): Generator<CreatedPart, CreatedSizes> {
  const detached = luks.detached === true;
  const start = detached ? 0 : Math.max(header.length, SECTOR * (luks.payloadOffset ?? 0));
  const volume = new Luks1Volume(luks, masterKey);
  for (const { offset, bytes = new Uint8Array(UNIT) } of content?.(UNIT) ?? []) {
    const sectors = bytes.subarray(0, size - offset);
    volume.encryptSectors(sectors, BigInt(offset / SECTOR));
    yield { file: "image", offset: start + offset, bytes: sectors };
  }
  yield { file: detached ? "header" : "image", offset: 0, bytes: header };
  return detached ? { image: size, header: header.length } : { image: start + size };
}
