import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type ByteSource, type Segment, SegmentSource } from "../../src/bytes/mod.ts";

/** A file as the bytes in it that are not zero: a file of terabytes may have one sector of data. */
export interface SparseFile {
  /** Length in bytes. */
  readonly size: number;
  /** In order, not touching each other. */
  readonly extents: readonly Segment[];
  /** The file has more content than this. */
  readonly cut: boolean;
}

/** Extents start and end at multiples of this, except for the end of the file. */
const BLOCK = 4096;
/** How much is read at a time. */
const WINDOW = 256 * BLOCK;
const ZEROS = new Uint8Array(WINDOW);
/** How far a source without known extents is searched, which takes about a second. */
const SEARCHED_MAX = 4 * 2 ** 30;
/** How many bytes of one file are kept. */
const KEPT_MAX = 256 * 2 ** 20;

/** Reads a source into memory, leaving out the holes. */
export function sparseFile(source: ByteSource): SparseFile {
  const { size } = source;
  const extents: { offset: number; bytes: Uint8Array }[] = [];
  let kept = 0;
  let cut = false;
  for (const [from, to] of stretches(source)) {
    for (let at = from; at < to; at += WINDOW) {
      if (kept >= KEPT_MAX) return { size, extents, cut: true };
      const window = source.read(at, Math.min(WINDOW, to - at));
      kept += addExtents(extents, at, window);
    }
    cut = to === SEARCHED_MAX && size > SEARCHED_MAX;
  }
  return { size, extents, cut };
}

/** Where bytes may be other than zero, in whole blocks. */
function* stretches(source: ByteSource): Generator<[from: number, to: number]> {
  if (!(source instanceof SegmentSource)) {
    if (source.size > SEARCHED_MAX && source.nextData !== undefined) yield* dataOf(source);
    else yield [0, Math.min(source.size, SEARCHED_MAX)];
    return;
  }
  let done = 0;
  for (const { offset, bytes } of source.segments) {
    const from = Math.max(done, Math.floor(offset / BLOCK) * BLOCK);
    const to = Math.min(source.size, Math.ceil((offset + bytes.length) / BLOCK) * BLOCK);
    if (from >= to) continue;
    yield [from, to];
    done = to;
  }
}

/** The runs of blocks of a source that knows its holes. */
function* dataOf(source: ByteSource): Generator<[from: number, to: number]> {
  const next = (at: number): number => source.nextData?.(at) ?? at;
  for (let at = next(0); at < source.size;) {
    const from = Math.floor(at / BLOCK) * BLOCK;
    let to = from + BLOCK;
    while (to < source.size && next(to) < to + BLOCK) to += BLOCK;
    yield [from, Math.min(to, source.size)];
    at = next(to);
  }
}

/** Adds the blocks of a window that are not zero; returns the number of bytes added. */
function addExtents(
  extents: { offset: number; bytes: Uint8Array }[],
  start: number,
  window: Uint8Array,
): number {
  if (Buffer.compare(window, ZEROS.subarray(0, window.length)) === 0) return 0;
  let added = 0;
  for (let at = 0; at < window.length;) {
    if (isZero(window, at)) {
      at += BLOCK;
      continue;
    }
    const from = at;
    while (at < window.length && !isZero(window, at)) at += BLOCK;
    const bytes = window.slice(from, Math.min(at, window.length));
    extents.push({ offset: start + from, bytes });
    added += bytes.length;
  }
  return added;
}

function isZero(window: Uint8Array, from: number): boolean {
  const block = window.subarray(from, from + BLOCK);
  return Buffer.compare(block, ZEROS.subarray(0, block.length)) === 0;
}

/** A digest of a file's size and extents: SHA-256 in hexadecimal. */
export function fingerprint(file: SparseFile): string {
  const hash = createHash("sha256").update(`size ${file.size}\n`);
  for (const { offset, bytes } of file.extents) {
    hash.update(`at ${offset} length ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}
