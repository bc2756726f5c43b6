import { SECTOR } from "../../../src/bytes/mod.ts";
import * as fc from "fast-check";
import { canonicalHash } from "../../../src/crypto/mod.ts";
import { type BuiltFiles, type Placed, remembering } from "../../../src/format/mod.ts";
import {
  buildLuks1,
  type CipherSpec,
  type KeyModel,
  type Luks1Model,
  normaliseLuks1,
} from "../../../src/luks1/mod.ts";
import { PASSPHRASES, picks } from "../../generate/mod.ts";
import type { LaidOut } from "../kit.ts";
import { LARGE_SHARE, mostlySmall, volumeOf } from "../luks.ts";
import { type Luks1ModelOptions, luks1Models, luksSpecs } from "./models.ts";

/** Which volumes are drawn. */
export interface VolumeOptions extends Omit<Luks1ModelOptions, "sizeMax"> {
  /** Of so many volumes one is like no other; the rest are of a few dozen that are built once. */
  readonly rarely?: number;
  /** Most of those that are built once are such whose keys are quickly tried. */
  readonly quick?: boolean;
}

const RARELY = 40;
const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";
/** One volume for so many ciphers. */
const STEP = 5;
const KEPT_MAX = 2 ** 27;

/**
 * Sound volumes. Deriving keys and splitting them takes longer than anything that is done to a volume
 * afterwards, so most of them are of a few dozen that are kept, one for every fifth cipher, with all
 * that varies in a few of them.
 */
export function luks1Volumes(options: VolumeOptions = {}): fc.Arbitrary<Luks1Model> {
  const { rarely = RARELY, passphrases = PASSPHRASES, quick = false } = options;
  const bounds = { ...options, passphrases };
  // Those with small keys come first: key material makes files large.
  const specs = luksSpecs(options).sort((a, b) => a.keyBytes - b.keyBytes);
  const usual = usualVolumes(specs.filter((_, index) => index % STEP === 0), bounds);
  const slow = quick ? QUICK_SHARE : 1;
  return fc.oneof(
    { withCrossShrink: true },
    ...slow === 1 ? [] : [{
      weight: (slow - 1) * (rarely - 1),
      arbitrary: picks(usualVolumes(specs.filter(isQuick), bounds)),
    }],
    { weight: rarely - 1, arbitrary: picks(usual) },
    { weight: slow, arbitrary: mostlySmall((sizeMax) => luks1Models({ ...bounds, sizeMax })) },
  );
}

/** Of so many volumes whose keys are quickly tried, one is any. */
const QUICK_SHARE = 24;
const QUICK_KEY_BYTES = 16;
const QUICK_HASHES: readonly (string | undefined)[] = ["md5", "sha1", "sha224", "sha256"];

/**
 * Whether a passphrase is tried in about a millisecond, and not in up to twenty: what counts is the
 * hash, which goes over 4000 stripes, the length of the key, and whether the platform has the cipher.
 */
function isQuick({ cipher, keyBytes, hash }: CipherSpec): boolean {
  return cipher === "aes" && keyBytes <= QUICK_KEY_BYTES &&
    QUICK_HASHES.includes(canonicalHash(hash));
}

/** One volume for each cipher. */
function usualVolumes(
  specs: readonly CipherSpec[],
  options: Luks1ModelOptions & { readonly passphrases: readonly string[] },
): Luks1Model[] {
  return specs.map((spec, index) =>
    normaliseLuks1({
      format: "luks",
      spec,
      seed: index,
      uuid: UUID,
      digestIterations: 1 + index % 4,
      keys: usualKeys(options.passphrases, index),
      erased: index % 5 === 4 ? [5] : [],
      gap: index % 6 === 5 ? 7 * index : 0,
      detached: options.old !== true && index % 4 === 3,
      cutHeader: index % 8 === 7,
      size: SECTOR * (1 + index % 13 + (index % LARGE_SHARE === 4 ? 250 + 7 * index : 0)),
      pattern: { kind: index % 2 === 0 ? "text" : "noise", seed: index },
      tail: index % 9 === 8 ? index : 0,
    })
  );
}

/** One key more often than two, and two more often than three. */
function usualKeys(passphrases: readonly string[], index: number): KeyModel[] {
  const count = index % 7 === 6 ? 3 : index % 3 === 2 ? 2 : 1;
  const first = index % 4 === 3 ? 2 : 0;
  // One passphrase opens several slots: which one is opened depends on their order.
  const isSame = index % 5 === 2;
  return Array.from({ length: count }, (_, number) => ({
    slot: first + 2 * number,
    passphrase: passphrases[(index + (isSame ? 0 : number)) % passphrases.length] as string,
    iterations: 1 + (index + number) % 20,
  }));
}

/** Builds a volume, or gives the one that was built before. */
const built: (model: Luks1Model) => BuiltFiles = remembering(buildLuks1, {
  sizeOf: ({ image, payload }) => image.size + (payload?.size ?? 0),
  sizeMax: KEPT_MAX,
});

/**
 * The files of a volume. Header and key slots are what its tables are to an image of another format:
 * most edits are about them.
 */
export function layOutLuks1(model: Luks1Model): LaidOut {
  const { image, payload } = built(model);
  const placed = image.placed.map((place): Placed =>
    place.struct === undefined ? place : { ...place, role: "table" }
  );
  return volumeOf({ ...image, placed }, payload);
}
