/**
 * Raw images.
 *
 * Invariants:
 *
 * - Any file is a valid raw image, and the file is the disk.
 * - The disk consists of whole sectors. Missing bytes of the last one read as zeros.
 *
 * @module
 */

export { createRaw, type RawCreation } from "./create.ts";
export { format as rawFormat } from "./format.ts";
export type { RawModel } from "./model.ts";
