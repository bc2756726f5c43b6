/**
 * Compares the answers of tools with those of the reference, for fuzzing.
 *
 * Invariants:
 *
 * - A difference is an observation with a signature. It is a failure unless a divergence explains it.
 * - A tool that does not work is never a difference.
 *
 * @module
 */

export { compareAnswer, type QemuQuestion } from "./answers.ts";
export { answerAt, firstDifference, whereIn } from "./bytes.ts";
export { compareContent, openedChain } from "./content.ts";
export { hasFarHole, writeDensely, writtenSize } from "./files.ts";
export {
  anyIndex,
  type Compared,
  type Divergence,
  type Observation,
  type Seen,
  signatureOf,
  wordsOf,
} from "./observation.ts";
export type { Asked, Ours } from "./outcomes.ts";
export { compareSparseMap } from "./sparse.ts";
export { type Installed, Toolbox } from "./tools.ts";
export {
  compareCryptsetup,
  compareLuksde,
  KEY_SLOT,
  unusedSlot,
  type VolumeKit,
} from "./volume.ts";
