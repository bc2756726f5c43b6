/**
 * Byte sources: where the bytes of an image come from.
 *
 * Invariants of every source:
 *
 * - `size` never changes, and is below 2^53.
 * - Reading past the end gives zeros and is not an error. QEMU's block layer behaves so for every
 *   format, and the formats lean on it: a 104-byte file can be a valid image.
 * - Where the bytes below `size` cannot be had any more, reading throws; it never makes bytes up.
 * - What `read` returns may be a view of the source itself. Nobody writes into it.
 *
 * @module
 */

export { type ByteSource, readUpTo, storedSize } from "./source.ts";
export { MemorySource } from "./memory.ts";
export { FileSource, type Hole, SourceError } from "./file.ts";
export { holesOf, isSparse, isZero } from "./holes.ts";
export { concat, hex, roundDown, roundUp, SECTOR, utf8 } from "./numbers.ts";
export { type Patch, PatchedSource } from "./patched.ts";
export { type Segment, SegmentSource } from "./segments.ts";
export { WindowSource } from "./window.ts";
