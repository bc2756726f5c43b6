import {
  reasonUnusable,
  type SectorCipher,
  sectorCipher,
  type SectorCipherOptions,
  whyNotAsDmCrypt,
} from "../crypto/mod.ts";

/** A cipher with its sectors. */
export interface CipherUse {
  /** In the notations of dm-crypt: `aes-xts-plain64`, `aes-cbc-essiv:sha256`, `capi:xts(aes)-plain64`. */
  readonly encryption: string;
  readonly sectorSize: number;
}

/**
 * Takes the text of an encryption apart, as cryptsetup does (lib/utils_crypt.c,
 * crypt_parse_name_and_mode): without a mode it is cbc-plain. With `capi:` before it, cipher and mode are
 * as in the kernel's crypto interface, of which one mode of one cipher is taken. Total; names may be
 * unknown.
 */
export function cipherOptions({ encryption, sectorSize }: CipherUse): SectorCipherOptions {
  const written = encryption.replace(CAPI, "$2-$1-");
  const [cipher, mode = "cbc-plain"] = splitAt(written, "-");
  const [chaining, generator = ""] = splitAt(mode === "plain" ? "cbc-plain" : mode, "-");
  const [ivGenerator, ivHash] = splitAt(generator, ":");
  return { cipher, mode: chaining, ivGenerator, ivHash, sectorSize };
}

const CAPI = /^capi:([^(),-]+)\(([^(),-]+)\)-/;

/** Why there is no such cipher for keys of that many bytes, in a sentence. */
export function whyNoCipher(use: CipherUse, keyBytes: number): string | undefined {
  return reasonUnusable(cipherOptions(use), keyBytes);
}

/** Whether its cipher, mode and IV generator are known, so that there is a length of key that fits. */
export function isKnownCipher(use: CipherUse): boolean {
  return KEY_LENGTHS.some((length) => whyNoCipher(use, length) === undefined);
}

/** Lengths of keys in bytes, of which every cipher takes one. */
const KEY_LENGTHS = [16, 24, 32, 48, 64];

/** Why dm-crypt has another content for such sectors, or none, in a sentence. */
export function notAsDmCrypt(use: CipherUse): string | undefined {
  return whyNotAsDmCrypt(cipherOptions(use));
}

/** @throws {RangeError} with the sentence of {@link whyNoCipher} */
export function cipherOf(use: CipherUse, key: Uint8Array): SectorCipher {
  return sectorCipher(cipherOptions(use), key);
}

function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
