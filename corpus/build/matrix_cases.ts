import { everySpec, specName } from "../../golden/recipes/combinations.ts";
import { type CipherSpec, type Luks1Model, normaliseLuks1 } from "../../src/luks1/mod.ts";

/** A volume of the matrix: a small example of one cipher. */
export interface MatrixCase {
  readonly name: string;
  /** A description in words. */
  readonly feature: string;
  readonly model: Luks1Model;
  /** Its archive, below `corpus/` and without its suffix. */
  readonly archive: string;
}

export const PASSPHRASE = "open sesame";
/** The fewest iterations that QEMU uses. */
const ITERATIONS = 1000;
/** The number of sectors of a payload. Each has its own vector. */
const SIZE = 8 * 512;
const SLOTS = 8;

/** Hashes that QEMU 7.2 and cryptsetup accept. */
const HASHES = ["sha256", "sha1", "sha224", "sha384", "sha512", "ripemd160"];
/** Hashes that cryptsetup accepts. */
const CRYPTSETUP_HASHES = [
  ...HASHES,
  ...["sm3", "whirlpool", "sha512-224", "sha512-256", "sha3-224", "sha3-256", "sha3-384"],
  ...["sha3-512", "blake2b-512", "blake2s-256", "md5-sha1"],
];

/** IV generators, as headers name them. */
const GENERATORS = ["plain", "plain64", "plain64be", "essiv:sha256", "null", "benbi"];
/** The modes that OpenSSL has. For others, cryptsetup requires a kernel with them. */
const CRYPTSETUP_MODES: Readonly<Record<string, readonly string[]>> = {
  aes: ["ecb", "cbc", "ctr", "xts", "cfb", "ofb"],
  camellia: ["ecb", "cbc", "ctr", "cfb", "ofb"],
};
/** Bytes of a key. OpenSSL has no XTS with two keys of 24 bytes. */
const LENGTHS = [32, 16, 24];
const XTS_LENGTHS = [64, 32];

/**
 * Every combination of cipher, key, mode, IV generator and hash that qemu-img 7.2 creates, and those with
 * a key of 24 bytes on which it crashes, with one hash each.
 */
export function qemuCases(): MatrixCase[] {
  const groups = new Map<string, number>();
  return [...everySpec(), ...deadlySpecs()].map((spec, index) => {
    const { hash: _, ...encryption } = spec;
    const group = JSON.stringify(encryption);
    if (!groups.has(group)) groups.set(group, groups.size);
    // Volumes with the same seed have the same key and payload, which is packed only once.
    const seed = groups.get(group) ?? 0;
    return caseOf(spec, { index, seed, archive: `matrix/${spec.cipher}-${spec.mode}` });
  });
}

/** Modes and IV generators with keys whose 4000 stripes are not a multiple of 512 bytes. */
function deadlySpecs(): CipherSpec[] {
  const specs = ["aes", "serpent", "twofish"].flatMap((cipher) =>
    ["cbc", "ctr", "ecb"].flatMap((mode) =>
      ["plain", "plain64", "essiv:md5", "essiv:sha256"].map((iv) => ({ cipher, mode, ...ivOf(iv) }))
    )
  );
  return specs.map((spec, index) => ({ ...spec, keyBytes: 24, hash: cycled(HASHES, index) }));
}

/**
 * Every combination of cipher, mode and IV generator that cryptsetup opens without a kernel and
 * QEMU does not open. The key lengths and hashes alternate.
 */
export function cryptsetupCases(): MatrixCase[] {
  const specs = Object.entries(CRYPTSETUP_MODES).flatMap(([cipher, modes]) =>
    modes.flatMap((mode) => generatorsOf(mode).map((iv) => ({ cipher, mode, ...ivOf(iv) })))
  );
  return specs.filter((spec) => !isOfQemu(spec)).map((spec, index): CipherSpec => {
    const keyBytes = cycled(spec.mode === "xts" ? XTS_LENGTHS : LENGTHS, index);
    return { ...spec, keyBytes, hash: cycled(CRYPTSETUP_HASHES, index) };
  }).map((spec, index) => {
    const archive = `matrix-cryptsetup/${spec.cipher}`;
    return caseOf(spec, { index: OTHERS + index, seed: OTHERS + index, archive });
  });
}

/** In other modes than CBC, dm-crypt and cryptsetup have different definitions of eboiv. */
function generatorsOf(mode: string): (string | undefined)[] {
  if (mode === "ecb") return [undefined];
  return mode === "cbc" ? [...GENERATORS, "eboiv"] : GENERATORS;
}

/** The first number of the cases of cryptsetup. */
const OTHERS = 2048;

/** Without its hash and its key. */
type Chaining = Omit<CipherSpec, "hash" | "keyBytes">;

function isOfQemu({ cipher, mode, ivGenerator = "" }: Chaining): boolean {
  return cipher === "aes" && ["cbc", "ctr", "xts"].includes(mode) &&
    ["plain", "plain64", "essiv"].includes(ivGenerator);
}

/** An IV generator, from its name in a header. */
function ivOf(iv: string | undefined): Pick<CipherSpec, "ivGenerator" | "ivHash"> {
  const [ivGenerator, ivHash] = iv?.split(":") ?? [];
  return {
    ...(ivGenerator === undefined ? {} : { ivGenerator }),
    ...(ivHash === undefined ? {} : { ivHash }),
  };
}

function cycled<T>(values: readonly T[], index: number): T {
  return values[index % values.length] as T;
}

function caseOf(
  spec: CipherSpec,
  { index, seed, archive }: { index: number; seed: number; archive: string },
): MatrixCase {
  const { cipher, mode, ivGenerator, ivHash, keyBytes, hash } = spec;
  const length = mode === "xts" ? keyBytes / 2 : keyBytes;
  const parts = ["matrix", cipher, length, mode, ivGenerator, ivHash, hash];
  const model = normaliseLuks1({
    format: "luks",
    spec,
    seed,
    uuid: `5f1d0c7e-0000-4000-8000-${index.toString(16).padStart(12, "0")}`,
    digestIterations: ITERATIONS,
    keys: [{ slot: seed % SLOTS, passphrase: PASSPHRASE, iterations: ITERATIONS }],
    erased: [],
    material: "sparse",
    gap: 0,
    detached: false,
    cutHeader: false,
    size: SIZE,
    pattern: { kind: "text", seed },
    tail: 0,
  });
  const name = parts.filter((part) => part !== undefined).join("-");
  return { name, feature: specName(spec), model, archive };
}
