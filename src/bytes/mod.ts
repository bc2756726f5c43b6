/**
 * Byte sources: where the bytes of an image come from.
 *
 * Invariants of every source:
 *
 * - `size` never changes, and is below 2^53.
 * - Reading past the end gives zeros and is not an error. QEMU's block layer behaves so for every
 *   format, and the formats lean on it: a 104-byte file can be a valid image.
 * - Where bytes below `size` can no longer be read, reading throws; it never invents bytes.
 * - What `read` returns may be a view of the source itself. Nobody writes into it.
 * - At most 128 files are open at a time, however many sources there are.
 *
 * @module
 */

export { type ByteSource, readUpTo, storedSize } from "./source.ts";
export { MemorySource } from "./memory.ts";
export { BufferedSource } from "./buffered.ts";
export { builtin } from "./builtin.ts";
export { FileSource, type Hole, NotRegularError, SourceError } from "./file.ts";
export {
  type FileFacts,
  type FileSystem,
  fileSystem,
  type OpenFile,
  useFileSystem,
} from "./file_system.ts";
export { estimateHoles, holesOf, isSparse, isZero } from "./holes.ts";
export {
  clamp,
  concat,
  hex,
  hexOf,
  roundDown,
  roundUp,
  SECTOR,
  splitAt,
  startsWith,
  utf8,
} from "./numbers.ts";
export { type Patch, PatchedSource } from "./patched.ts";
export { type Segment, SegmentSource } from "./segments.ts";
export { WindowSource } from "./window.ts";
