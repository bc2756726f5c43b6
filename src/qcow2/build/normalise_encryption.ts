import { clamp } from "../../bytes/mod.ts";
import { type CipherSpec, isUsable, normaliseLuks1 } from "../../luks1/mod.ts";
import type { EncryptionModel, LuksEncryption, Qcow2Model } from "../model.ts";
import { cleanText } from "./normalise_values.ts";

/** Longest passphrase in bytes. */
const PASSPHRASE_MAX = 512;
/** Limits on free sectors and bytes, to keep images small. */
const GAP_MAX = 256;
const SPARE_MAX = 1 << 16;

/** The replacement for a cipher that cannot be used. */
const USUAL: CipherSpec = {
  cipher: "aes",
  keyBytes: 16,
  mode: "cbc",
  ivGenerator: "plain64",
  hash: "sha256",
};

/** The most similar encryption that can be built. */
export function normaliseEncryption(
  { encryption }: Pick<Qcow2Model, "encryption">,
): EncryptionModel | undefined {
  if (encryption === undefined) return undefined;
  if (encryption.kind === "luks") return soundLuks(encryption);
  return { kind: "aes", passphrase: cleanText(encryption.passphrase, PASSPHRASE_MAX) };
}

function soundLuks(model: LuksEncryption): LuksEncryption {
  const { keys, gap, spec, spare } = model;
  const sound = normaliseLuks1({
    ...model,
    format: "luks",
    spec: isUsable(spec) ? spec : USUAL,
    keys: keys.map((key) => ({ ...key, passphrase: cleanText(key.passphrase, PASSPHRASE_MAX) })),
    gap: clamp(gap, 0, GAP_MAX),
    ...NO_PAYLOAD,
  });
  return {
    kind: "luks",
    spec: sound.spec,
    seed: sound.seed,
    uuid: sound.uuid,
    digestIterations: sound.digestIterations,
    keys: sound.keys,
    erased: sound.erased,
    ...(sound.material === undefined ? {} : { material: sound.material }),
    gap: sound.gap,
    spare: clamp(spare, 0, SPARE_MAX),
  };
}

const NO_PAYLOAD = {
  detached: false,
  cutHeader: false,
  size: 0,
  pattern: { kind: "zero", seed: 0 },
  tail: 0,
} as const;
