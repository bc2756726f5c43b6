import {
  cipherModes,
  type CipherName,
  cipherNames,
  cipherTable,
  type HashName,
  hashNames,
  ivGenerators,
  ivTable,
  volumeKeyLengths,
} from "../../crypto/mod.ts";
import { type CreationOptions, type ImageRequest, isUuid } from "../../format/mod.ts";
import type { CipherSpec } from "../decode.ts";
import type { Luks1Options } from "./create.ts";

/** The options of a LUKS volume: those of qemu-img, those of cryptsetup, and common ones. */
export const LUKS_OPTIONS: readonly string[] = [
  ...["cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg", "hash-alg"],
  ...["cipher", "key-size", "hash", "iterations", "digest-iterations", "uuid"],
];

/** The default number of PBKDF2 iterations for a key: some tenths of a second with sha256. */
export const ITERATIONS_DEFAULT = 600_000;

/**
 * The volume that the options describe. The passphrases open its key slots from 0 on, in their order.
 *
 * @param prefix of the names, such as `encrypt.`
 * @throws {RangeError} when there is no passphrase, or the options conflict
 */
export function luksOptions(
  { options, passphrases, random, detached }: ImageRequest,
  prefix = "",
): Luks1Options {
  const [passphrase, ...others] = passphrases;
  if (passphrase === undefined) {
    throw new RangeError("encryption requires a passphrase (--passphrase-file)");
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

/** @throws {RangeError} if the text is not a UUID, as in cryptsetup */
function uuidOf(options: CreationOptions, prefix: string): string {
  const text = options.text(`${prefix}uuid`) ?? crypto.randomUUID();
  if (isUuid(text)) return text;
  throw new RangeError(`option ${prefix}uuid must be a UUID, not '${text}'`);
}

/** The cipher of a volume, by the names of cryptsetup or of qemu-img. */
function specOf(options: CreationOptions, prefix: string): CipherSpec {
  const text = options.text(`${prefix}cipher`);
  const hash = options.choice(`${prefix}hash`, hashNames) ??
    options.choice(`${prefix}hash-alg`, hashNames) ?? HASH_DEFAULT;
  const inQemuWords = ["cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg"];
  const others = text === undefined ? ["key-size"] : inQemuWords;
  const other = options.given(others.map((name) => prefix + name));
  if (other !== undefined) {
    const reason = text === undefined
      ? `${other} requires ${prefix}cipher`
      : `${prefix}cipher and ${other} cannot be combined`;
    throw new RangeError(reason);
  }
  return text === undefined
    ? qemuSpec(options, { prefix, hash })
    : cryptsetupSpec(text, { hash, keyBits: options.whole(`${prefix}key-size`) });
}

/** `aes-cbc-essiv:sha256`; creating the volume rejects a combination that does not exist. */
function cryptsetupSpec(
  text: string,
  { hash, keyBits }: { hash: HashName; keyBits: number | undefined },
): CipherSpec {
  const [, cipher = "", mode = "", ivGenerator, ivHash] =
    /^([^-]+)-([^-]+)(?:-([^:]+)(?::(.+))?)?$/.exec(text) ?? [];
  if (mode === "") {
    throw new RangeError(
      `option cipher must have the form aes-cbc-essiv:sha256, not '${text}'`,
    );
  }
  if (ivGenerator === undefined && mode !== "ecb") {
    throw new RangeError(
      `the mode ${mode} requires an IV generator, as in ${cipher}-${mode}-${IV_DEFAULT}`,
    );
  }
  return {
    cipher,
    mode,
    ...(ivGenerator === undefined ? {} : { ivGenerator }),
    ...(ivHash === undefined ? {} : { ivHash }),
    keyBytes: keyBits === undefined ? volumeKeyLengths(cipher, mode).at(-1) ?? 0 : keyBits / 8,
    hash,
  };
}

/** The defaults are qemu-img's. */
function qemuSpec(
  options: CreationOptions,
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

/** qemu-img's names of a cipher: one for each key length, such as `aes-256`, or a single one, such as `sm4`. */
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
