/**
 * What is known of an image, as text and as JSON.
 *
 * Invariants:
 *
 * - Everything here is a pure function of its arguments.
 * - Where qemu-img has words for it, or a JSON shape, they are used.
 * - Text that came out of an image holds no control characters when it is written for a person.
 *
 * @module
 */

export { checkReport, checkStatus, checkText } from "./check_text.ts";
export { damageJson, damageLines } from "./damage_text.ts";
export { excerptOf, type ExcerptOptions } from "./excerpt.ts";
export { infoLines, infoText, snapshotLines } from "./info_text.ts";
export { type Inspection, inspectionLines } from "./inspect_text.ts";
export { MAP_HEADING, mapLine, mapRowOf } from "./map_text.ts";
export type { Note } from "./placing.ts";
export { qemuJson, qemuJsonPieces } from "./qemu_json.ts";
export { type Stretch, stretchesIn, stretchesOf, type StretchKind } from "./stretches.ts";
export { tableLines, type TableText } from "./table.ts";
export { sizeText } from "./size_text.ts";
export { shellWord } from "./shell.ts";
