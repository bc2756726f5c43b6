import { builtin, SECTOR } from "../bytes/mod.ts";
import { AccessError, type Broken, type Layer, type Watch } from "../format/mod.ts";
import { extentsOf, readExtent } from "./extents.ts";

const CHUNK = 2 ** 20;
const zeros = new Uint8Array(CHUNK);

/** A stretch of content: bytes, or `undefined` for zeros. */
export interface Piece {
  /** First byte on the virtual disk. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
  /** The bytes; absent for zeros. */
  readonly bytes?: Uint8Array;
}

/**
 * The content of `[from, to)` in pieces of at most 1 MiB of bytes; zeros come in pieces of any length.
 * A piece's bytes are overwritten by the next one.
 *
 * @throws {AccessError} where QEMU's read fails
 */
export function* pieces(
  layers: readonly Layer[],
  range: { from: number; to: number },
): Generator<Piece> {
  const buffer = new Uint8Array(Math.min(CHUNK, range.to - range.from));
  for (const extent of extentsOf(layers, range.from, range.to)) {
    if (extent.broken !== undefined) throw new AccessError(extent.broken);
    if (extent.zero) {
      yield { start: extent.start, length: extent.length };
      continue;
    }
    for (let skip = 0; skip < extent.length; skip += CHUNK) {
      const bytes = buffer.subarray(0, Math.min(CHUNK, extent.length - skip));
      readExtent(extent, skip, bytes);
      yield { start: extent.start + skip, length: bytes.length, bytes };
    }
  }
}

/** A part of the content, and who is told how much of it is hashed. */
export interface ContentRange {
  /** The first byte; 0 by default. */
  readonly from?: number;
  /** The byte after the last one; by default the end of the disk. */
  readonly to?: number;
  /** Receives the number of bytes that are hashed, after each MiB. */
  readonly hashed?: (bytes: number) => void;
}

/**
 * SHA-256 of the guest content in lower-case hexadecimal.
 *
 * @param range the part from byte `from` up to `to`; all of it by default
 * @throws {AccessError} where QEMU's read fails
 */
export function digestOf(
  layers: readonly Layer[],
  range: ContentRange = {},
): string {
  const hash = builtin("node:crypto").createHash("sha256");
  const { from = 0, to = layers[0]?.virtualSize ?? 0, hashed } = range;
  for (const piece of pieces(layers, { from, to })) {
    if (piece.bytes !== undefined) hash.update(piece.bytes);
    for (let left = piece.bytes === undefined ? piece.length : 0; left > 0; left -= CHUNK) {
      hash.update(left >= CHUNK ? zeros : zeros.subarray(0, left));
      hashed?.(piece.start + piece.length - left - from);
    }
    hashed?.(piece.start + piece.length - from);
  }
  return hash.digest("hex");
}

/**
 * `length` bytes of the guest content from byte `offset` on.
 *
 * @param offset below 2^53, or a multiple of 512
 * @throws {AccessError} where QEMU's read fails
 * @throws {RangeError} when the range is not inside the disk
 */
export function readContent(
  layers: readonly Layer[],
  offset: number,
  length: number,
): Uint8Array {
  const size = layers[0]?.virtualSize ?? 0;
  if (!(offset >= 0 && length >= 0 && BigInt(offset) + BigInt(length) <= BigInt(size))) {
    throw new RangeError(`Cannot read ${length} bytes at ${offset}: the disk has ${size}`);
  }
  const skip = offset % SECTOR;
  const from = offset - skip;
  const to = from + Math.ceil((skip + length) / SECTOR) * SECTOR;
  const target = new Uint8Array(to - from);
  for (const piece of pieces(layers, { from, to })) {
    if (piece.bytes !== undefined) target.set(piece.bytes, piece.start - from);
  }
  return target.subarray(skip, skip + length);
}

/** Extents that are read beyond those that the file can hold; each counts in every layer above it. */
const EXTENT_BUDGET = 2 ** 21;
const BYTES_PER_EXTENT = 64;

/** Bytes of tables that walking a chain reads: of a hole, for one, which is stored nowhere. */
class TableReads {
  readonly #layers: readonly Layer[];
  #before: number;

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    this.#before = this.#all();
  }

  /** Those read since the last call. */
  since(): number {
    const all = this.#all();
    const more = all - this.#before;
    this.#before = all;
    return more;
  }

  #all(): number {
    return this.#layers.reduce((sum, { tableBytes = 0 }) => sum + tableBytes, 0);
  }
}

/** What trying to read all of an image comes to. */
export type Readable = { readonly read: "ok" } | {
  readonly read: "error";
  readonly broken: Broken;
};

/**
 * Whether all of the content can be read, without reading what cannot fail. Bounded: an image that
 * makes more of its bytes than any real one is taken at its word from there on.
 *
 * @param size bytes that are stored of the image file
 */
export function tryReading(
  layers: readonly Layer[],
  size: number,
  { watch }: { readonly watch?: Watch } = {},
): Readable {
  const end = layers[0]?.virtualSize ?? 0;
  const tables = new TableReads(layers);
  let budget = EXTENT_BUDGET + size / BYTES_PER_EXTENT;
  const probe = new Uint8Array(SECTOR);
  try {
    for (const extent of extentsOf(layers, 0, end)) {
      if (extent.broken !== undefined) return { read: "error", broken: extent.broken };
      watch?.(extent.start / end);
      budget -= 1 + extent.depth + tables.since() / BYTES_PER_EXTENT;
      if (budget < 0) break;
      if (extent.zero) continue;
      if (extent.run.kind === "compressed") budget -= extent.layer.clusterSize / SECTOR;
      readExtent(extent, 0, probe.subarray(0, Math.min(SECTOR, extent.length)));
    }
  } catch (error) {
    if (error instanceof AccessError) return { read: "error", broken: error.broken };
    throw error;
  }
  return { read: "ok" };
}
