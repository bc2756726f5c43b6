import { splitAt } from "../bytes/mod.ts";
import type { SectorCipherOptions } from "./sector_options.ts";
import { canonicalEssivHash } from "./essiv_hash.ts";
import { inSmallLetters } from "./hash_aliases.ts";

/** The ciphers of OpenSSL, with which cryptsetup encrypts key slots without the kernel. */
const OPENSSL_CIPHERS: readonly string[] = ["aes", "camellia"];

/** Modes that cryptsetup recognises itself, in lower case only. */
const SMALL_MODES: readonly string[] = ["ecb", "xts"];

/** IV generators of which cryptsetup compares only the first letters. */
const BEGINNINGS: readonly string[] = ["benbi", "eboiv"];

/**
 * Translates the names of a header to those of the tables. cryptsetup stores names as they are
 * given to it: OpenSSL accepts ciphers, modes and hashes in any case and under other names
 * (lib/crypto_backend/ crypto_openssl.c, `_cipher_init`), cryptsetup accepts IV generators in any
 * case (crypto_storage.c, `crypt_sector_iv_init`). `AES-CBC-ESSIV:SHA-256` is
 * `aes-cbc-essiv:sha256`.
 *
 * The kernel and QEMU accept only the spelling of the tables. Ciphers that only the kernel has have
 * no other spelling.
 */
export function canonicalNames(options: SectorCipherOptions): SectorCipherOptions {
  const cipher = inSmallLetters(options.cipher);
  if (!OPENSSL_CIPHERS.includes(cipher)) return options;
  const { ivHash } = options;
  const mode = inSmallLetters(options.mode);
  const generator = inSmallLetters(options.ivGenerator);
  return {
    ...options,
    cipher,
    mode: SMALL_MODES.includes(mode) ? options.mode : mode,
    ivGenerator: BEGINNINGS.find((beginning) => generator.startsWith(beginning)) ?? generator,
    ivHash: ivHash === undefined ? undefined : canonicalEssivHash(ivHash),
  };
}

/** Parses a mode with its IV generator, as in headers: `cbc-essiv:sha256`. Accepts any text. */
export function splitMode(
  text: string,
): { readonly mode: string; readonly ivGenerator?: string; readonly ivHash?: string } {
  const [mode, generator] = splitAt(text, "-");
  if (generator === undefined) return { mode };
  const [ivGenerator, ivHash] = splitAt(generator, ":");
  return { mode, ivGenerator, ...(ivHash === undefined ? {} : { ivHash }) };
}
