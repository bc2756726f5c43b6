import * as fc from "fast-check";
import type { Placed } from "../../../src/format/mod.ts";
import type { CipherSpec, KeyModel } from "../../../src/luks1/mod.ts";
import type { EncryptionModel, LuksEncryption } from "../../../src/qcow2/mod.ts";
import {
  type EncryptionOptions,
  legacyEncryptions,
  mostly,
  PASSPHRASES,
  picks,
} from "../../generate/mod.ts";
import { luksSpecs } from "../luks1/models.ts";

/**
 * Every encryption that a qcow2 image can have and qemu-img 7.2 knows. Most LUKS headers are of a few
 * dozen, because making one takes longer than the rest of an image, and the builder keeps them.
 */
export function encryptions(options: EncryptionOptions = {}): fc.Arbitrary<EncryptionModel> {
  const { passphrases = PASSPHRASES } = options;
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 16, arbitrary: legacyEncryptions(options) },
    { weight: 31, arbitrary: picks(usualVolumes(passphrases)) },
    { weight: 1, arbitrary: anyVolumes(passphrases) },
  );
}

const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";
const ITERATIONS_MAX = 20;
const KEYS_MAX = 3;
const SLOTS = 8;
/** Every sixth cipher has its own volume. */
const STEP = 6;
const GAPS = [0, 0, 1, 8, 40];
const SPARES = [0, 0, 0, 512, 4096, 1];

/** Ciphers that qemu-img 7.2 knows, those with small keys first: key material makes images large. */
function specs(): CipherSpec[] {
  return luksSpecs({ old: true }).sort((a, b) => a.keyBytes - b.keyBytes);
}

/** Some dozens of volumes, from simple to less so, with everything that varies in a few of them. */
function usualVolumes(passphrases: readonly string[]): LuksEncryption[] {
  return specs().filter((_, index) => index % STEP === 0).map((spec, index) => ({
    kind: "luks",
    spec,
    seed: index,
    uuid: UUID,
    digestIterations: 1 + index % 4,
    keys: usualKeys(passphrases, index),
    erased: index % 5 === 4 ? [5] : [],
    gap: GAPS[index % GAPS.length] as number,
    spare: SPARES[index % SPARES.length] as number,
  }));
}

/** One key more often than two, and two more often than three. */
function usualKeys(passphrases: readonly string[], index: number): KeyModel[] {
  const count = index % 7 === 6 ? 3 : index % 3 === 2 ? 2 : 1;
  const first = index % 4 === 3 ? 2 : 0;
  return Array.from({ length: count }, (_, number) => ({
    slot: first + 2 * number,
    passphrase: passphrases[(index + number) % passphrases.length] as string,
    iterations: 1 + (index + number) % ITERATIONS_MAX,
  }));
}

function anyVolumes(passphrases: readonly string[]): fc.Arbitrary<LuksEncryption> {
  return fc.record({
    kind: fc.constant("luks"),
    spec: picks(specs()),
    seed: fc.nat(0xffffffff),
    uuid: mostly(UUID, fc.string({ maxLength: 39 })),
    digestIterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
    keys: fc.array(anyKeys(passphrases), { minLength: 1, maxLength: KEYS_MAX }),
    erased: mostly([], fc.array(fc.nat(SLOTS - 1), { maxLength: 2 })),
    gap: mostly(0, fc.nat(64)),
    spare: mostly(0, fc.nat(8192)),
  });
}

/** Keys of a volume that are opened with one of a few passphrases. */
function anyKeys(passphrases: readonly string[]): fc.Arbitrary<KeyModel> {
  return fc.record({
    slot: fc.nat(SLOTS - 1),
    passphrase: picks(passphrases),
    iterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
  });
}

/** Whether a place says how an image is encrypted: a LUKS header, a part of it, or what leads there. */
export function isEncryption({ path }: Placed): boolean {
  return /^\/(luks\/|encryption_header)/.test(path);
}
