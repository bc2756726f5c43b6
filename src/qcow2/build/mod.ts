/**
 * The qcow2 builder: pure functions normalise a model, lay it out and encode it.
 *
 * Invariants:
 *
 * - `normaliseQcow2` turns any value of the model's type into one that can be built.
 * - The image of a normalised model is valid: `qemu-img check` finds only the leaks that the model
 *   requests, and a reader reads what `guestContent` returns.
 * - `guestContent` is computed from the model alone, not from the image.
 * - Clusters are encrypted after all have offsets: LUKS counts sectors in the file that stores
 *   them.
 * - Structures are encoded by their descriptions; no offset of a field is written here.
 *
 * @module
 */

export { bitmapBytes } from "./bitmaps.ts";
export { buildQcow2 } from "./build.ts";
export { guestContent } from "./guest.ts";
export { type NormaliseLimits, normaliseQcow2 } from "./normalise.ts";
export { plainQcow2 } from "./plain.ts";
