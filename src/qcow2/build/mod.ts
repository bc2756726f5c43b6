/**
 * The qcow2 builder: a model is made normal, laid out and turned into bytes, by pure functions.
 *
 * Invariants:
 *
 * - `normaliseQcow2` makes any value of the model's type one that can be built.
 * - What is built of a normal model is valid: `qemu-img check` finds nothing but the leaks that the
 *   model asks for, and a reader reads what `guestContent` says.
 * - `guestContent` follows from the model alone, and not from what was built.
 * - Clusters are encrypted once all have their places: LUKS counts sectors in the file that holds them.
 * - Bytes are encoded through the declarative structures; no offset of a field is written here.
 *
 * @module
 */

export { buildQcow2 } from "./build.ts";
export { guestContent } from "./guest.ts";
export { type NormaliseLimits, normaliseQcow2 } from "./normalise.ts";
