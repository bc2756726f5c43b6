import * as fc from "fast-check";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import { normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import type { Target } from "../engine/mod.ts";
import {
  allPassphrases,
  describeModel,
  encryptions,
  filesOf,
  type Kit,
  luks1Volumes,
  qcow2Models,
  repaired,
  sourceOf,
} from "../formats/mod.ts";
import { luks1 } from "../formats/luks1/mod.ts";
import { qcow2 } from "../formats/qcow2/mod.ts";
import { legacyEncryptions } from "../generate/mod.ts";
import { excerptOf } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import {
  insideMistakes,
  legacyMistakes,
  type Mistake,
  readImageWrongly,
  readVolumeWrongly,
  volumeMistakes,
} from "./wrong_reader.ts";

/** A case of `canary-encryption`: something encrypted, and the mistake that it is read with. */
export interface MistakenCase {
  readonly mistake: Mistake;
  readonly model: Luks1Model | Qcow2Model;
}

const SMALL = { clusterBitsMax: 12, limits: { l1Bytes: 4096 } } as const;

/**
 * Readers of encrypted content with planted mistakes. Each visible mistake is a failure, which proves
 * that the generators produce images that reveal it.
 */
export const encryptionCanary: Target<MistakenCase> = {
  name: "canary-encryption",
  says: "fails on purpose: readers with planted encryption bugs",
  weight: 1,
  onlyByName: true,
  cases: mistakenCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as MistakenCase,
  repair: (value) => repaired(kitOf(value.model), value),
  files: ({ model }) => filesOf(kitOf(model), model),
  describe: ({ mistake, model }) => `${describeModel(kitOf(model), model)}\n${mistake}`,
  excerpt: ({ model }) => excerptOf(kitOf(model), sourceOf(filesOf(kitOf(model), model))),
  passphrases: ({ model }) => allPassphrases(kitOf(model), model),
  run: ({ mistake, model }) => {
    if (model.format === "luks") readVolumeWrongly(model, mistake);
    else readImageWrongly(model, mistake);
    return { depth: "accepted", rules: [] };
  },
};

function kitOf({ format }: MistakenCase["model"]): Kit<MistakenCase["model"]> {
  return (format === "luks" ? luks1 : qcow2) as Kit<MistakenCase["model"]>;
}

function mistakenCases(): fc.Arbitrary<MistakenCase> {
  const images = qcow2Models(SMALL);
  const luks = encryptions().filter(({ kind }) => kind === "luks");
  const encrypted = (encryption: fc.Arbitrary<NonNullable<Qcow2Model["encryption"]>>) =>
    fc.tuple(images, encryption).map(([model, encryption]) => alone({ ...model, encryption }));
  return fc.oneof(
    casesOf(volumeMistakes, luks1Volumes({ qemu: false })),
    casesOf(insideMistakes, encrypted(luks)),
    casesOf(legacyMistakes, encrypted(legacyEncryptions())),
  );
}

function casesOf(
  mistakes: readonly Mistake[],
  models: fc.Arbitrary<Luks1Model | Qcow2Model>,
): fc.Arbitrary<MistakenCase> {
  return fc.record({ mistake: fc.constantFrom<Mistake>("none", ...mistakes), model: models });
}

/** The image without other files. */
function alone({ backing: _, dataFile: __, ...model }: Qcow2Model): Qcow2Model {
  return normaliseQcow2(model);
}
