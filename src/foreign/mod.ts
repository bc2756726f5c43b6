/**
 * Formats that QEMU reads and diskproof does not: they are recognised, so that no image of one is
 * treated as raw.
 *
 * Invariants:
 *
 * - A foreign format is one entry of the list: a name, a title, QEMU's score and how QEMU's probing
 *   recognises it. Nothing else in the repository names one.
 * - An image of a foreign format opens with the finding `blk.probe.foreign` and has no layer: what
 *   qemu-img does with it is not known.
 * - The order of the list is QEMU's where several formats recognise a file with the same score.
 *
 * @module
 */

export { foreignFormats } from "./list.ts";
