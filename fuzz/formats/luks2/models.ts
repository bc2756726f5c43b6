import { SECTOR } from "../../../src/bytes/mod.ts";
import * as fc from "fast-check";
import {
  HEADER_SIZES,
  type KdfModel,
  type Luks2KeyModel,
  type Luks2Model,
  normaliseLuks2,
} from "../../../src/luks2/mod.ts";
import { mostly, patterns, picks } from "../../generate/mod.ts";

/** Bounds of {@link luks2Models}. */
export interface Luks2ModelOptions {
  /** Only ciphers that cryptsetup supports without the kernel: AES. */
  readonly aes?: boolean;
  /** Bytes of the largest payload, 64 KiB by default. */
  readonly sizeMax?: number;
  /** The passphrases of keys, instead of any short text. */
  readonly passphrases?: readonly string[];
}

const SIZE_MAX = 2 ** 16;
const KEYS_MAX = 3;
/** Distinguishable costs that need little time. */
const ITERATIONS_MAX = 20;
const TIME_MAX = 3;
const CPUS_MAX = 3;
const MEMORY_MAX = 64;
const UUID = "7c1e6f0a-2b7d-4a53-9d55-61b1a0f3c2de";

/**
 * Every sort of sound LUKS2 volume, small and quickly unlocked. All are as `normaliseLuks2` makes them.
 *
 * @example
 * ```ts
 * import * as fc from "fast-check";
 * import { buildLuks2 } from "../../../src/luks2/mod.ts";
 *
 * fc.assert(fc.property(luks2Models(), (model) => buildLuks2(model).image.size > 0x8000));
 * ```
 */
export function luks2Models(options: Luks2ModelOptions = {}): fc.Arbitrary<Luks2Model> {
  const { sizeMax = SIZE_MAX, aes = false, passphrases } = options;
  const words = passphrases === undefined
    ? mostly("secret", fc.string({ unit: "grapheme", maxLength: 20 }))
    : picks(passphrases);
  const states = picks(["sound", "older", "garbled", "missing"] as const);
  return fc.record<Draws>({
    use: picks(luks2Uses(aes)),
    seed: fc.nat(0xffffffff),
    uuid: mostly(UUID, fc.string({ maxLength: 39 })),
    label: mostly("", fc.string({ maxLength: 47 })),
    subsystem: mostly("", fc.string({ maxLength: 47 })),
    seqid: mostly(1, fc.nat(1000)),
    headerSize: mostly(0x4000, picks(HEADER_SIZES)),
    spare: mostly(0, fc.nat(16).map((pages) => pages * 4096, (bytes) => (bytes as number) / 4096)),
    primary: mostly("sound", states, 6),
    secondary: mostly("sound", states, 6),
    sectorSize: picks([512, 4096, 1024, 2048]),
    ivTweak: mostly(0, fc.oneof(fc.nat(2 ** 31 - 1), around32Bits(), fc.maxSafeNat())),
    hash: mostly("sha256", picks(HASHES)),
    checksum: mostly("sha256", picks(HASHES)),
    digestIterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
    keys: fc.array(keys(words), { minLength: 1, maxLength: KEYS_MAX }),
    tokens: mostly(0, fc.nat(2)),
    detached: mostly(false, fc.boolean()),
    fixed: mostly(false, fc.boolean()),
    size: fc.nat(Math.floor(sizeMax / SECTOR)).map((n) => n * SECTOR, (size) => sectors(size)),
    pattern: patterns(),
  }).map(modelOf, drawsOf);
}

/** Numbers of first sectors from which the next ones need more than 32 bits. */
function around32Bits(): fc.Arbitrary<number> {
  return fc.integer({ min: 2 ** 32 - 64, max: 2 ** 32 + 64 });
}

/** A cipher with the length of its key. */
export type Luks2Use = Pick<Luks2Model, "encryption" | "keyBytes">;
type Draws = Omit<Luks2Model, "format" | keyof Luks2Use> & { readonly use: Luks2Use };

/** Simple and common ones come first. */
const USES: readonly Luks2Use[] = [
  { encryption: "aes-xts-plain64", keyBytes: 64 },
  { encryption: "aes-xts-plain64", keyBytes: 32 },
  { encryption: "aes-cbc-essiv:sha256", keyBytes: 32 },
  { encryption: "aes-cbc-plain64", keyBytes: 24 },
  { encryption: "aes-cbc-plain", keyBytes: 16 },
  { encryption: "aes-ctr-plain64", keyBytes: 32 },
  { encryption: "serpent-xts-plain64", keyBytes: 64 },
  { encryption: "twofish-xts-plain64", keyBytes: 32 },
  { encryption: "camellia-cbc-plain64", keyBytes: 16 },
  { encryption: "serpent-cbc-essiv:sha256", keyBytes: 24 },
  { encryption: "aes-cbc-benbi", keyBytes: 32 },
  { encryption: "aes-cbc-eboiv", keyBytes: 16 },
  { encryption: "aes-cbc-plain64be", keyBytes: 32 },
  { encryption: "cast5-cbc-benbi", keyBytes: 16 },
];
const HASHES = ["sha256", "sha1", "sha512", "sha384", "sha224", "ripemd160"] as const;

/** The ciphers of generated volumes, the simplest first. */
export function luks2Uses(aes = false): readonly Luks2Use[] {
  return aes ? USES.filter(({ encryption }) => encryption.startsWith("aes")) : USES;
}

function modelOf({ use, ...draws }: Draws): Luks2Model {
  return normaliseLuks2({ format: "luks2", ...use, ...draws });
}

function drawsOf(value: unknown): Draws {
  const { format, encryption, keyBytes, ...model } = value as Luks2Model;
  if (format !== "luks2") throw new TypeError("Cannot unmap a model of another format");
  return { use: { encryption, keyBytes }, ...model };
}

function keys(passphrases: fc.Arbitrary<string>): fc.Arbitrary<Luks2KeyModel> {
  return fc.record<Luks2KeyModel>({
    slot: fc.nat(31),
    passphrase: passphrases,
    kdf: kdfs(),
    priority: mostly(1, picks([1, 2, 0] as const)),
  });
}

function kdfs(): fc.Arbitrary<KdfModel> {
  const pbkdf2 = fc.record({
    type: picks(["pbkdf2"] as const),
    hash: mostly<string>("sha256", picks(HASHES)),
    iterations: mostly(1, fc.integer({ min: 1, max: ITERATIONS_MAX })),
  });
  const argon2 = fc.record({
    type: picks(["argon2id", "argon2i"] as const),
    time: fc.integer({ min: 1, max: TIME_MAX }),
    memory: fc.integer({ min: 8 * CPUS_MAX, max: MEMORY_MAX }),
    cpus: fc.integer({ min: 1, max: CPUS_MAX }),
  });
  return fc.oneof(pbkdf2, argon2);
}

function sectors(size: unknown): number {
  if (typeof size !== "number" || size % SECTOR !== 0) throw new TypeError("Cannot count sectors");
  return size / SECTOR;
}
