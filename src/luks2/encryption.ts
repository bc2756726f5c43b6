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
  const written = encryption.replace(CAPI, "$2-$1-");
  const [, cipher = CIPHER.exec(written)?.[0] ?? "", mode = "plain"] = PARTS.exec(written) ?? [];
  const named = mode === "plain" ? "cbc-plain" : mode;
  return { cipher, ivGenerator: "", ...splitMode(named), sectorSize };
}

/** What `sscanf` finds with `%31[^-]-%31s`: the mode is the first word after the dash. */
const PARTS = /^([^-]{1,31})-[ \t-\r]*([^ \t-\r]{1,31})/;
const CIPHER = /^[^-]{1,31}/;
/** A word after a space: dm-crypt reads it as the next word of its table. */
const WORDS = /[ \t-\r][^ \t-\r]/;

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
  if (WORDS.test(use.encryption)) return "dm-crypt reads an encryption up to the first space";
  return whyNotAsDmCrypt(cipherOptions(use));
}

/** @throws {RangeError} with the sentence of {@link whyNoCipher} */
export function cipherOf(use: CipherUse, key: Uint8Array): SectorCipher {
  return sectorCipher(cipherOptions(use), key);
}
