/**
 * Makes qcow2 images of real content, a part at a time.
 *
 * Invariants:
 *
 * - What is made is valid: `qemu-img check` finds nothing, neither corruptions nor leaks.
 * - Options that do not go together are a `RangeError` before anything is made, with the sentence that
 *   a person needs.
 * - Memory follows from the cluster size and from how many clusters hold compressed data, not from the
 *   virtual size.
 * - Host clusters are given out in the order of the content, each for one purpose; compressed data
 *   alone shares them. The refcounts come last, when everything else is counted.
 *
 * @module
 */

export { createQcow2 } from "./create.ts";
export { planQcow2, QCOW2_OPTIONS } from "./request.ts";
export type { Qcow2Creation, Qcow2Encryption } from "./options.ts";
