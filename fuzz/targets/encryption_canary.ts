import * as fc from "fast-check";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import { normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import type { Target } from "../engine/target.ts";
import { buildChain, sourcesOf } from "../formats/chain/models.ts";
import { encryptions } from "../formats/qcow2/encryption.ts";
import { legacyEncryptions } from "../generate/encryption.ts";
import { qcow2Models } from "../formats/qcow2/models.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { chainPassphrases } from "./keys.ts";
import { describeVolume, volumeFiles, volumes } from "./luks_volume.ts";
import { describeImage } from "./roundtrip.ts";
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
 * A reader of encrypted content that makes mistakes: each is a failure wherever it shows, so that it
 * can be seen that the generators make what a wrong reader stumbles over.
 */
export const encryptionCanary: Target<MistakenCase> = {
  name: "canary-encryption",
  says: "fails on purpose wherever a reader's mistake about encryption shows",
  weight: 1,
  onlyByName: true,
  cases: mistakenCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as MistakenCase,
  files: ({ model }) => {
    if (model.format === "luks") {
      return Object.entries(volumeFiles(model, [])).map(([name, source]) => ({ name, source }));
    }
    return [...sourcesOf(buildChain([model]))].map(([name, source]) => ({ name, source }));
  },
  describe: ({ mistake, model }) =>
    `${model.format === "luks" ? describeVolume(model) : describeImage(model)}\n${mistake}`,
  excerpt: ({ model }) =>
    model.format === "luks"
      ? excerptOfImage(volumeFiles(model, []).header, "luks")
      : [...sourcesOf(buildChain([model])).values()].slice(0, 1)
        .map((source) => excerptOfImage(source, "qcow2")).join(),
  passphrases: ({ model }) =>
    model.format === "luks"
      ? model.keys.map(({ passphrase }) => passphrase)
      : chainPassphrases([model]),
  run: ({ mistake, model }) => {
    if (model.format === "luks") readVolumeWrongly(model, mistake);
    else readImageWrongly(model, mistake);
    return { depth: "accepted", rules: [] };
  },
};

function mistakenCases(): fc.Arbitrary<MistakenCase> {
  const images = qcow2Models(SMALL);
  const luks = encryptions().filter(({ kind }) => kind === "luks");
  const encrypted = (encryption: fc.Arbitrary<NonNullable<Qcow2Model["encryption"]>>) =>
    fc.tuple(images, encryption).map(([model, encryption]) => alone({ ...model, encryption }));
  return fc.oneof(
    casesOf(volumeMistakes, volumes({ qemu: false })),
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
