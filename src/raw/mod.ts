/**
 * Raw images.
 *
 * Invariants:
 *
 * - Any bytes are a raw image, and the file is the disk: nothing can be wrong with it.
 * - The disk is whole sectors. What the file lacks of its last one reads as zeros.
 *
 * @module
 */

export { createRaw, type RawCreation } from "./create.ts";
export { format as rawFormat } from "./format.ts";
export type { RawModel } from "./model.ts";
