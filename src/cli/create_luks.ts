import { randomBytes } from "node:crypto";
import {
  cipherModes,
  type CipherName,
  cipherNames,
  cipherTable,
  type HashName,
  hashNames,
  isHashName,
  ivGenerators,
  ivTable,
  volumeKeyLengths,
} from "../crypto/mod.ts";
import { isUuid } from "../format/mod.ts";
import type { CipherSpec, Luks1Options } from "../luks1/mod.ts";
import type { FormatOptions } from "./create_options.ts";
import { didYouMean } from "./nearest.ts";
import { UsageError } from "./verb.ts";

/** The options of a LUKS volume: qemu-img's, cryptsetup's, and the numbers that both measure. */
export const LUKS_OPTIONS: readonly string[] = [
  ...["cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg", "hash-alg"],
  ...["cipher", "key-size", "hash", "iterations", "digest-iterations", "uuid"],
];

/** Iterations of PBKDF2 for a key where nothing else is said: some tenths of a second with sha256. */
export const ITERATIONS_DEFAULT = 600_000;

/** As many random bytes as asked for. */
export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}

/**
 * A volume as options say, which the passphrases open in their order from slot 0 on.
 *
 * @param prefix in front of the names, as `encrypt.`
 * @throws {UsageError} when there is no passphrase, or options do not go together
 */
export function luksOptions(
  options: FormatOptions,
  passphrases: readonly Uint8Array[],
  { prefix = "", detached = false } = {},
): Luks1Options {
  const [passphrase, ...others] = passphrases;
  if (passphrase === undefined) {
    throw new UsageError("Cannot create: encryption needs a passphrase (--passphrase-file)");
  }
  const iterations = options.whole(`${prefix}iterations`) ?? ITERATIONS_DEFAULT;
  const digestIterations = options.whole(`${prefix}digest-iterations`);
  return {
    ...specOf(options, prefix),
    passphrase,
    iterations,
    slots: others.map((other, index) => ({ slot: index + 1, passphrase: other, iterations })),
    ...(digestIterations === undefined ? {} : { digestIterations }),
    uuid: uuidOf(options, prefix),
    detached,
    random,
  };
}

/** @throws {UsageError} for what is no UUID: cryptsetup creates no such volume either */
function uuidOf(options: FormatOptions, prefix: string): string {
  const text = options.text(`${prefix}uuid`) ?? crypto.randomUUID();
  if (isUuid(text)) return text;
  throw new UsageError(`Cannot create: option ${prefix}uuid takes a UUID, not '${text}'`);
}

/** What a volume is encrypted with, in cryptsetup's words or in qemu-img's. */
function specOf(options: FormatOptions, prefix: string): CipherSpec {
  const text = options.text(`${prefix}cipher`);
  const hash = options.choice(`${prefix}hash`, hashNames) ??
    options.choice(`${prefix}hash-alg`, hashNames) ?? HASH_DEFAULT;
  const inQemuWords = ["cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg"];
  const others = text === undefined ? ["key-size"] : inQemuWords;
  const other = options.given(others.map((name) => prefix + name));
  if (other !== undefined) {
    const reason = text === undefined
      ? `${other} goes with ${prefix}cipher`
      : `${prefix}cipher and ${other} exclude each other`;
    throw new UsageError(`Cannot create: ${reason}`);
  }
  return text === undefined
    ? qemuSpec(options, { prefix, hash })
    : cryptsetupSpec(text, { hash, keyBits: options.whole(`${prefix}key-size`) });
}

/** `aes-cbc-essiv:sha256`; names that do not go together are left to the volume to refuse. */
function cryptsetupSpec(
  text: string,
  { hash, keyBits }: { hash: HashName; keyBits: number | undefined },
): CipherSpec {
  const [, cipher = "", mode = "", ivGenerator, ivHash] =
    /^([^-]+)-([^-]+)(?:-([^:]+)(?::(.+))?)?$/.exec(text) ?? [];
  if (mode === "") {
    throw new UsageError(
      `Cannot create: option cipher takes such as aes-cbc-essiv:sha256, not '${text}'`,
    );
  }
  if (ivGenerator === undefined && mode !== "ecb") {
    throw new UsageError(
      `Cannot create: the mode ${mode} takes an IV generator, as in ${cipher}-${mode}-${IV_DEFAULT}`,
    );
  }
  if (ivHash !== undefined) mustBeHash(ivHash);
  return {
    cipher,
    mode,
    ...(ivGenerator === undefined ? {} : { ivGenerator }),
    ...(ivHash === undefined ? {} : { ivHash }),
    keyBytes: keyBits === undefined ? volumeKeyLengths(cipher, mode).at(-1) ?? 0 : keyBits / 8,
    hash,
  };
}

function mustBeHash(name: string): void {
  if (isHashName(name)) return;
  throw new UsageError(`Cannot create: there is no hash '${name}'${didYouMean(name, hashNames)}`);
}

/** The defaults are qemu-img's. */
function qemuSpec(
  options: FormatOptions,
  { prefix, hash }: { prefix: string; hash: HashName },
): CipherSpec {
  const algorithms = new Map(cipherNames.flatMap(algorithmsOf));
  const algorithm = options.choice(`${prefix}cipher-alg`, [...algorithms.keys()]) ?? CIPHER_DEFAULT;
  const { cipher = "", keyBytes = 0 } = algorithms.get(algorithm) ?? {};
  const mode = options.choice(`${prefix}cipher-mode`, cipherModes) ?? MODE_DEFAULT;
  const ivGenerator = options.choice(`${prefix}ivgen-alg`, ivGenerators) ?? IV_DEFAULT;
  const ivHash = options.choice(`${prefix}ivgen-hash-alg`, hashNames) ??
    (ivTable[ivGenerator]?.takesHash === true ? HASH_DEFAULT : undefined);
  return {
    cipher,
    mode,
    ivGenerator,
    ...(ivHash === undefined ? {} : { ivHash }),
    keyBytes: mode === "xts" ? 2 * keyBytes : keyBytes,
    hash,
  };
}

/** What qemu-img calls a cipher with each length of its key: `aes-256`, but `sm4`. */
function algorithmsOf(cipher: CipherName): [string, { cipher: string; keyBytes: number }][] {
  const lengths = cipherTable[cipher]?.keyLengths ?? [];
  return lengths.map((keyBytes) => [
    lengths.length === 1 ? cipher : `${cipher}-${8 * keyBytes}`,
    { cipher, keyBytes },
  ]);
}

const CIPHER_DEFAULT = "aes-256";
const MODE_DEFAULT = "xts";
const IV_DEFAULT = "plain64";
const HASH_DEFAULT = "sha256";
