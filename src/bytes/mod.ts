/**
 * Sources of the bytes of an image, and what all rooms need to work with bytes.
 *
 * Invariants of every source (except for a `ByteStore`, whose bytes and size change):
 *
 * - `size` never changes, and is below 2^53.
 * - Reading past the end returns zeros and is not an error. QEMU's block layer does this for every
 *   format, and the formats depend on it: a 104-byte file can be a valid image.
 * - If bytes below `size` can no longer be read, reading throws. It never returns other bytes instead.
 * - `read` may return a view of the source itself, which must not be modified.
 * - At most 128 files are open for reading at a time, regardless of the number of sources.
 *
 * @module
 */

export { type ByteSource, readUpTo, storedSize } from "./source.ts";
export { MemorySource } from "./memory.ts";
export { type ByteStore, MemoryStore } from "./store.ts";
export { BufferedSource } from "./buffered.ts";
export { builtin } from "./builtin.ts";
export { FileStore } from "./file_store.ts";
export { FileSource, type Hole, NotRegularError, SourceError } from "./file.ts";
export { LastUsed } from "./last_used.ts";
export {
  type FileFacts,
  type FileSystem,
  fileSystem,
  type OpenFile,
  useFileSystem,
  type WritableFile,
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
