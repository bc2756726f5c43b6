import { SECTOR } from "../../../src/bytes/mod.ts";
import * as fc from "fast-check";
import {
  type CipherSpec,
  type KeyModel,
  type Luks1Model,
  normaliseLuks1,
} from "../../../src/luks1/mod.ts";
import { mostly, patterns, picks } from "../../generate/mod.ts";

/** Bounds of {@link luks1Models}. */
export interface Luks1ModelOptions {
  /** Only what qemu-img opens; false for whatever LUKS and cryptsetup have besides. */
  readonly qemu?: boolean;
  /** Only what an installed qemu-img of version 7.2 opens: no detached header, no sm3, no sm4. */
  readonly old?: boolean;
  /** Bytes of the largest payload, 64 KiB by default. */
  readonly sizeMax?: number;
  /** The passphrases of volumes; any text by default. */
  readonly passphrases?: readonly string[];
}

const SIZE_MAX = 2 ** 16;
/** More iterations cost time and test nothing else. */
const ITERATIONS_MAX = 20;
const KEYS_MAX = 3;

/**
 * Every sort of sound LUKS volume, small and quickly unlocked. All are as `normaliseLuks1` makes them.
 *
 * @example
 * ```ts
 * import * as fc from "fast-check";
 * import { buildLuks1 } from "../../../src/luks1/mod.ts";
 *
 * fc.assert(fc.property(luks1Models(), (model) => buildLuks1(model).image.size > 592));
 * ```
 */
export function luks1Models(options: Luks1ModelOptions = {}): fc.Arbitrary<Luks1Model> {
  const { sizeMax = SIZE_MAX, old = false } = options;
  const specs = luksSpecs(options);
  return fc.record<Omit<Luks1Model, "format">>({
    spec: picks(specs),
    seed: fc.nat(0xffffffff),
    uuid: mostly(UUID, fc.string({ maxLength: 39 })),
    digestIterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
    keys: fc.array(keys(options), { minLength: 1, maxLength: KEYS_MAX }),
    erased: mostly([], fc.array(fc.nat(7), { maxLength: 2 })),
    gap: mostly(0, fc.nat(64)),
    detached: old ? fc.constant(false) : mostly(false, fc.boolean()),
    cutHeader: fc.boolean(),
    size: fc.nat(Math.floor(sizeMax / SECTOR)).map((n) => n * SECTOR, (size) => sectors(size)),
    pattern: patterns(),
    tail: mostly(0, fc.nat(SECTOR - 1)),
  }).map((model) => normaliseLuks1({ format: "luks", ...model }), (model) => drawsOf(model));
}

const UUID = "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10";

function keys({ passphrases }: Luks1ModelOptions): fc.Arbitrary<KeyModel> {
  return fc.record({
    slot: fc.nat(7),
    passphrase: passphrases === undefined
      ? mostly("secret", fc.string({ unit: "grapheme", maxLength: 20 }))
      : picks(passphrases),
    iterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
  });
}

function sectors(size: unknown): number {
  if (typeof size !== "number" || size % SECTOR !== 0) throw new TypeError("Cannot count sectors");
  return size / SECTOR;
}

function drawsOf(value: unknown): Omit<Luks1Model, "format"> {
  const { format, ...model } = value as Luks1Model;
  if (format !== "luks") throw new TypeError("Cannot unmap a model of another format");
  return model;
}

const HASHES = ["sha256", "sha1", "sha224", "sha384", "sha512", "ripemd160", "md5"] as const;
/** Names that only cryptsetup has, of the same hashes and of one more. */
const OTHER_HASHES = ["sha2-256", "SHA-1", "rmd160", "1.3.6.1.4.1.1722.12.2.2.8", "md5-sha1"];
const MODES = ["xts", "cbc", "ctr", "ecb"] as const;
/** Modes that QEMU does not have. */
const FEEDBACK = ["cfb", "ofb"] as const;

/** An IV generator as the header names it. */
type Iv = Pick<CipherSpec, "ivGenerator" | "ivHash">;

/** A cipher with its key lengths in bytes and its modes. */
interface CipherSort {
  readonly cipher: string;
  readonly lengths: readonly number[];
  /** Modes that QEMU supports; none if it does not support the cipher. */
  readonly qemu: readonly string[];
  /** Other modes. */
  readonly others?: readonly string[];
  /** Hashes whose digest is as long as a key. */
  readonly essiv: readonly string[];
  /** QEMU 7.2 does not know it. */
  readonly recent?: boolean;
}

const WIDE = { lengths: [32, 16, 24], essiv: ["sha256", "md5", "sm3"] } as const;

/** The most common ones come first. */
const CIPHERS: readonly CipherSort[] = [
  { cipher: "aes", qemu: MODES, others: FEEDBACK, ...WIDE },
  { cipher: "serpent", qemu: MODES, others: FEEDBACK, ...WIDE },
  { cipher: "twofish", qemu: MODES, others: FEEDBACK, ...WIDE },
  {
    cipher: "cast5",
    qemu: ["cbc", "ctr", "ecb"],
    others: FEEDBACK,
    lengths: [16],
    essiv: ["md5"],
  },
  {
    cipher: "sm4",
    qemu: ["ecb"],
    others: ["xts", "cbc", "ctr", ...FEEDBACK],
    lengths: [16],
    essiv: ["md5"],
    recent: true,
  },
  { cipher: "camellia", qemu: [], others: [...MODES, ...FEEDBACK], ...WIDE },
];

/**
 * Every cipher, key size, mode and IV generator within the bounds given, simple ones first, and with
 * them one hash after the other.
 */
export function luksSpecs(options: Luks1ModelOptions = {}): CipherSpec[] {
  const { qemu = true, old = false } = options;
  const hashes = [...HASHES, ...old ? [] : ["sm3"], ...qemu ? [] : OTHER_HASHES];
  const sorts = CIPHERS.filter(({ recent = false }) => !old || !recent).flatMap((sort) =>
    [...sort.qemu, ...qemu ? [] : sort.others ?? []].flatMap((mode) =>
      keyLengths(sort, mode, qemu).flatMap((keyBytes) =>
        ivs(sort, mode, options).map((iv) => ({ cipher: sort.cipher, keyBytes, mode, ...iv }))
      )
    )
  );
  return sorts.map((sort, index) => ({ ...sort, hash: hashes[index % hashes.length] as string }));
}

function keyLengths({ lengths }: CipherSort, mode: string, qemu: boolean): number[] {
  if (mode === "xts") return lengths.map((length) => 2 * length);
  // QEMU aborts if 4000 stripes are not a whole number of sectors.
  return lengths.filter((length) => !qemu || length !== 24);
}

function ivs(sort: CipherSort, mode: string, options: Luks1ModelOptions): Iv[] {
  const { qemu = true, old = false } = options;
  if (mode === "ecb" && !qemu) return [{}];
  const essiv = sort.essiv.filter((ivHash) => !old || ivHash !== "sm3");
  const generators: Iv[] = [
    { ivGenerator: "plain64" },
    ...essiv.map((ivHash) => ({ ivGenerator: "essiv", ivHash })),
    { ivGenerator: "plain" },
    { ivGenerator: "plain64", ivHash: "sha1" },
  ];
  if (qemu) return generators;
  return [
    ...generators,
    { ivGenerator: "plain64be" },
    { ivGenerator: "null" },
    { ivGenerator: "benbi" },
    // Its key is that of one block cipher.
    ...mode === "cbc" ? [{ ivGenerator: "eboiv" }] : [],
  ];
}
