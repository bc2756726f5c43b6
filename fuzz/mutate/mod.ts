/**
 * Edits: how a sound image becomes a malformed one. No format is named here.
 *
 * Invariants:
 *
 * - A malformed image is a model, laid out, plus a short list of named edits; applying them is a pure
 *   function, and does not change the built image.
 * - An edit prints as something a person can read, and is stored as JSON.
 * - What values are worth trying follows from the description of the field, and from the dictionary
 *   of the format.
 *
 * @module
 */

export { applyEdits, type Editable, type Seal, valueAt } from "./apply.ts";
export type { Dictionary, JsonDictionary } from "./dictionary.ts";
export { STRAY_NUMBERS, STRAY_VALUES } from "./dictionary.ts";
export {
  type EditDraw,
  editDraws,
  editLists,
  garblingLists,
  ROLES,
  sealedDraws,
  sealedLists,
  type Sort,
} from "./draws.ts";
export {
  type ByteEdit,
  describeEdit,
  type Edit,
  type FieldEdit,
  type JsonEdit,
  type PlaceEdit,
  requireEdit,
} from "./edit.ts";
export { EVOLVED_MAX, evolveEdits, type Evolving } from "./evolve.ts";
export { jsonText } from "./json_text.ts";
export { type FieldPlace, Places } from "./places.ts";
export { resolveDraws, type Resolving } from "./resolve.ts";
export { interestingValues } from "./values.ts";
export {
  type Engine,
  engineNames,
  type Token,
  tokensOf,
  type TokenSource,
  tokenText,
} from "./tokens.ts";
