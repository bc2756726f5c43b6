import {
  reasonUnusable,
  type SectorCipher,
  sectorCipher,
  type SectorCipherOptions,
  splitMode,
  whyNotAsDmCrypt,
} from "../crypto/mod.ts";

/** A cipher for sectors of one length. */
export interface CipherUse {
  /** In the notations of dm-crypt: `aes-xts-plain64`, `aes-cbc-essiv:sha256`, `capi:xts(aes)-plain64`. */
  readonly encryption: string;
  readonly sectorSize: number;
}

/**
 * The parts of an encryption, as cryptsetup finds them (lib/utils_crypt.c, crypt_parse_name_and_mode).
 * Without a mode it is cbc-plain. With `capi:` before it, cipher and mode are as in the kernel's crypto
 * interface; only one mode of one cipher is accepted. Total; names may be unknown.
 */
export function cipherOptions({ encryption, sectorSize }: CipherUse): SectorCipherOptions {
  const [cipher = "", ...rest] = encryption.replace(CAPI, "$2-$1-").split("-");
  const written = rest.join("-");
  const mode = rest.length === 0 || written === "plain" ? "cbc-plain" : written;
  return { cipher, ivGenerator: "", ...splitMode(mode), sectorSize };
}

const CAPI = /^capi:([^(),-]+)\(([^(),-]+)\)-/;

/** Why there is no such cipher for keys of this length, as a sentence. */
export function whyNoCipher(use: CipherUse, keyBytes: number): string | undefined {
  return reasonUnusable(cipherOptions(use), keyBytes);
}

/** Whether cipher, mode and IV generator are known, so that a key of some length fits. */
export function isKnownCipher(use: CipherUse): boolean {
  return KEY_LENGTHS.some((length) => whyNoCipher(use, length) === undefined);
}

/** Whether the names of a cipher are known, and it is not implemented. */
export function isUnimplemented(use: CipherUse): boolean {
  return whyNoCipher(use, 0)?.endsWith("not implemented") === true;
}

/** Lengths of keys in bytes. Every cipher has one of them. */
const KEY_LENGTHS = [16, 24, 32, 48, 64];

/** Why dm-crypt reads other content from such sectors, or none, as a sentence. */
export function notAsDmCrypt(use: CipherUse): string | undefined {
  return whyNotAsDmCrypt(cipherOptions(use));
}

/** @throws {RangeError} with the sentence of {@link whyNoCipher} */
export function cipherOf(use: CipherUse, key: Uint8Array): SectorCipher {
  return sectorCipher(cipherOptions(use), key);
}
