/**
 * The properties that are fuzzed, each a function of a kit or a single target.
 *
 * @module
 */

import type { Target } from "../engine/mod.ts";
import { changed, changedVolumes, images, wholes } from "../formats/mod.ts";
import { canaries } from "./canary.ts";
import { differential } from "./differential.ts";
import { encryptionCanary } from "./encryption_canary.ts";
import { open } from "./open.ts";
import { recorded } from "./recorded.ts";
import { roundtrip } from "./roundtrip.ts";
import { stateful } from "./stateful.ts";

/** Every target, in the order in which they are listed and reported. */
export const targets: readonly Target[] = [
  ...images.map((kit) => open(kit)),
  ...wholes.map((kit) => roundtrip(kit)),
  recorded,
  ...wholes.map((kit) => differential(kit)),
  ...[...changed, ...changedVolumes].flatMap((kit) => stateful(kit)),
  ...canaries,
  encryptionCanary,
].map((target) => target as Target);

export { type ComparedVariant, differential, type DifferentialCase } from "./differential.ts";
export { evolvedImage, featuresIn } from "./evolved.ts";
export { excerptOf } from "./excerpt.ts";
export { fromPlainJson, toPlainJson } from "./json.ts";
export {
  type EditedCase,
  isNoise,
  judged,
  type NoiseCase,
  open,
  type OpenCase,
  type Variant,
} from "./open.ts";
export { addedImages, recorded, type RecordedCase } from "./recorded.ts";
export { roundtrip, type RoundtripCase } from "./roundtrip.ts";
export {
  describeSteps,
  type StartIn,
  startIn,
  type StatefulCase,
  statefulCases,
} from "./stateful.ts";
export { unreached } from "./unreached.ts";
