/**
 * Creates qcow2 images with given content, a part at a time.
 *
 * Invariants:
 *
 * - New images are valid: `qemu-img check` finds neither corruptions nor leaks.
 * - Conflicting options cause a `RangeError` with a readable message before anything is written.
 * - Memory use depends on the cluster size and the number of clusters with compressed data, not on the
 *   virtual size.
 * - Host clusters are allocated in the order of the content. Only compressed data shares clusters. The
 *   refcounts are written last, when everything else is counted.
 *
 * @module
 */

export { createQcow2 } from "./create.ts";
export { planQcow2, QCOW2_OPTIONS } from "./request.ts";
export type { Qcow2Creation, Qcow2Encryption } from "./options.ts";
