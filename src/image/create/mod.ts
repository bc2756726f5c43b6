/**
 * Makes images of every format, and changes the keys of those that have key slots.
 *
 * Invariants:
 *
 * - Nothing here writes: what is to be written comes as parts, bytes at their place in a file, and
 *   the caller writes them. Random bytes come in from outside.
 * - The content of an image that is made is what its source holds, followed by zeros.
 * - A changed key is written to its slot before the slot is switched on, and a slot is switched off
 *   before what it held is overwritten, for as long as any slot is free. Nothing else of a file
 *   changes.
 *
 * @module
 */

export { type BackingNamed, backingSize } from "./backing.ts";
export { contentOf, contentOfLayers } from "./content.ts";
export { createImage, type Creation } from "./create.ts";
export { resolveName } from "../file_names.ts";
export { type FoundKeyArea, keyAreaOf, readKeyArea } from "./keys.ts";
