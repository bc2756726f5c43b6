/**
 * The targets that need no tool, as functions of bytes for Jazzer.js, libFuzzer's engine for
 * JavaScript. `scripts/jazzer.ts` bundles them.
 *
 * Invariants:
 *
 * - Nothing here uses `Deno.*`: Jazzer.js runs on Node.
 * - The same bytes give the same case.
 *
 * @module
 */

export { ByteChoices, caseOf } from "./choices.ts";
export { type Entry, entryOf, type JazzerTarget, jazzerTargets, named } from "./entry.ts";
