/**
 * Edits: how a sound image becomes a malformed one.
 *
 * Invariants:
 *
 * - A malformed image is a model, laid out, plus a short list of named edits; applying them is a pure
 *   function, and leaves the built image as it is.
 * - An edit prints as something a person can read, and is stored as JSON.
 * - What values are worth trying follows from the description of the field.
 *
 * @module
 */

export { applyEdits, valueAt } from "./apply.ts";
export { type EditDraw, editDraws, editLists, resolveDraws } from "./draws.ts";
export { describeEdit, type Edit } from "./edit.ts";
export { type FieldPlace, Places } from "./places.ts";
export { interestingTexts } from "./texts.ts";
export { interestingValues } from "./values.ts";
