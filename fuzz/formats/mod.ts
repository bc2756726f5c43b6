/**
 * Kits: everything that the fuzz targets need for a format, one folder each. A new kit is a folder here
 * and a line below; `kit.ts` defines the interface.
 *
 * Invariants:
 *
 * - A model is a plain value that alone determines the built image.
 * - The expected answers follow from the model, not from the built image.
 * - A divergence is explained with a citation, and only as far as the citation goes.
 *
 * @module
 */

import { chains, changedChains } from "./chain/mod.ts";
import type { Kit, ToolKit } from "./kit.ts";
import { luks1 } from "./luks1/mod.ts";
import { luks2 } from "./luks2/mod.ts";
import { qcow1 } from "./qcow1/mod.ts";
import { qcow2 } from "./qcow2/mod.ts";
import { raw } from "./raw.ts";

/** The kits of single images, each fuzzed by `open`. */
export const images: readonly Kit[] = [qcow1 as Kit, qcow2 as Kit, luks1 as Kit, luks2 as Kit];

/** A kit with tools that answer to the same images. */
export type WholeKit = Kit & { readonly tools: ToolKit };

/** The kits of chains and volumes, each fuzzed by `roundtrip` and `differential`. */
export const wholes: readonly WholeKit[] = [
  chains as WholeKit,
  luks1 as WholeKit,
  luks2 as WholeKit,
];

/** The kits of images that are changed step by step. */
export const changed: readonly Kit[] = [...changedChains as readonly Kit[], raw as Kit];

/** The same of volumes, whose keys may change between the steps. */
export const changedVolumes: readonly Kit[] = [luks1 as Kit, luks2 as Kit];

/** Every kit, each once. */
export const kits: readonly Kit[] = [...new Set([...images, ...wholes])];

export { withOwnKeys } from "./chain/keys.ts";
export { type ChainModel, chainModels, type ImageModel } from "./chain/models.ts";
export { modestDisk } from "./chain/modest.ts";
export { assertDisk, assertSound } from "./content.ts";
export { drawsOf, editsOf, evolvedEdits } from "./edited.ts";
export {
  allPassphrases,
  depthOf,
  describeModel,
  diskOf,
  type EditOptions,
  type Expected,
  type ExpectedBitmap,
  fileOf,
  filesOf,
  formatIn,
  isSound,
  type KeyChanges,
  type KeyKit,
  type Kit,
  type LaidOut,
  layOut,
  type ModelClass,
  type NoiseKit,
  type OpenedCase,
  openWith,
  passphrasesOf,
  readOptionsOf,
  sourceOf,
  targetName,
  type ToolKit,
  type Use,
} from "./kit.ts";
export type { KeySlots } from "./key_slots.ts";
export { luks1Volumes } from "./luks1/volumes.ts";
export { luks2Divergences } from "./luks2/divergences.ts";
export { sealsOf } from "./luks2/volumes.ts";
export { encryptions } from "./qcow2/encryption.ts";
export { type Mutant, mutantOf, type MutantPlan } from "./mutant.ts";
export { qcow2Models } from "./qcow2/models.ts";
export { repaired, requireDrawn } from "./repair.ts";
