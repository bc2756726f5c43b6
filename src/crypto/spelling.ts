import { splitAt } from "../bytes/mod.ts";
import type { SectorCipherOptions } from "./sector_options.ts";
import { canonicalEssivHash } from "./essiv_hash.ts";
import { inSmallLetters } from "./hash_aliases.ts";

/** The ciphers of OpenSSL, in which cryptsetup has key slots encrypted without the kernel. */
const OPENSSL_CIPHERS: readonly string[] = ["aes", "camellia"];

/** Modes that cryptsetup has to recognise itself, and does in small letters alone. */
const SMALL_MODES: readonly string[] = ["ecb", "xts"];

/** IV generators of which cryptsetup compares the beginning. */
const BEGINNINGS: readonly string[] = ["benbi", "eboiv"];

/**
 * The names of the tables for those of a header, which cryptsetup writes down as they are given to it:
 * OpenSSL finds ciphers, modes and hashes in letters of any size, and by other names (lib/crypto_backend/
 * crypto_openssl.c, `_cipher_init`), cryptsetup IV generators in letters of any size (crypto_storage.c,
 * `crypt_sector_iv_init`). `AES-CBC-ESSIV:SHA-256` is `aes-cbc-essiv:sha256`.
 *
 * The kernel and QEMU know no other spelling than that of the tables, and it is the only one of ciphers
 * that are the kernel's alone.
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

/** A mode with its IV generator as headers have them, taken apart: `cbc-essiv:sha256`. Total. */
export function splitMode(
  text: string,
): { readonly mode: string; readonly ivGenerator?: string; readonly ivHash?: string } {
  const [mode, generator] = splitAt(text, "-");
  if (generator === undefined) return { mode };
  const [ivGenerator, ivHash] = splitAt(generator, ":");
  return { mode, ivGenerator, ...(ivHash === undefined ? {} : { ivHash }) };
}
