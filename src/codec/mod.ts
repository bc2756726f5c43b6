/**
 * Compressed clusters: what QEMU makes of them, and how to write them.
 *
 * Invariants:
 *
 * - Decompressing gives exactly one cluster, or the reason why QEMU's read fails with EIO. It never
 *   throws, whatever the input, and never makes more output than one cluster.
 * - What decides is QEMU's acceptance rule, which is neither that of the stream formats nor that of
 *   the specification of qcow2: each function states it.
 * - The two formats ask zlib the same question (qcow.c `decompress_buffer`, qcow2-threads.c
 *   `qcow2_zlib_decompress`): one inflate rule serves both. They differ in the input: qcow knows
 *   the length of a stream to the byte, and it may be 0; qcow2 knows it to the sector, so that the
 *   decoder may see what follows the stream.
 * - Everything is synchronous and a pure function of its arguments.
 *
 * @module
 */

export type { Decompressed } from "./decompressed.ts";
export { inflateCluster } from "./inflate.ts";
export { deflateCluster, type DeflateOptions, type DeflateStrategy } from "./deflate.ts";
export { unzstdCluster } from "./unzstd.ts";
export { zstdCluster, type ZstdOptions, type ZstdPart } from "./zstd.ts";
export { compressedInput, decompressionBudget } from "./input.ts";
