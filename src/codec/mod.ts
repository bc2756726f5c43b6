/**
 * Compressed clusters: decompressing them as QEMU does, and compressing them.
 *
 * Invariants:
 *
 * - Decompressing gives exactly one cluster, or the reason why QEMU's read fails with EIO. It never
 *   throws and never makes more output than one cluster, whatever the input is.
 * - A stream is valid if QEMU accepts it. QEMU's rule is neither that of the stream formats nor
 *   that of the specification of qcow2; each function states it.
 * - qcow and qcow2 call zlib in the same way (qcow.c `decompress_buffer`, qcow2-threads.c
 *   `qcow2_zlib_decompress`), so one rule for inflating serves both. The input differs: qcow stores
 *   the length of a stream in bytes, and it may be 0; qcow2 stores it in sectors, so the decoder
 *   may see bytes after the stream.
 * - Everything is synchronous and a pure function of its arguments, except that the streams of
 *   `compressAhead` are those of the runtime.
 *
 * @module
 */

export type { Decompressed } from "./decompressed.ts";
export { inflateCluster } from "./inflate.ts";
export { deflateCluster, type DeflateOptions, type DeflateStrategy } from "./deflate.ts";
export { type AheadOptions, compressAhead, type Compressed } from "./ahead.ts";
export { unzstdCluster } from "./unzstd.ts";
export { zstdCluster, type ZstdOptions, type ZstdPart } from "./zstd.ts";
export { compressedInput, decompressionBudget, ZEROS_THAT_TELL } from "./input.ts";
