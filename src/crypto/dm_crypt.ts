import { canonicalNames } from "./spelling.ts";
import type { SectorCipherOptions } from "./sector_options.ts";

/** Modes that the kernel implements as stream ciphers: their block size is one byte. */
const STREAMS: readonly string[] = ["ctr", "cfb", "ofb"];
/** Modes that OpenSSL has and the kernel does not. */
const NOT_IN_KERNEL: readonly string[] = ["cfb8", "cfb1"];

/**
 * Why the kernel's dm-crypt cannot decrypt sectors, or decrypts them differently from
 * `sectorCipher`, which follows cryptsetup. The configuration of the kernel is not known here: it
 * may lack any cipher.
 *
 * @returns a sentence, or `undefined` if no difference is known
 * @see Linux drivers/md/dm-crypt.c, crypt_iv_benbi_ctr, crypt_iv_eboiv_ctr, crypt_iv_eboiv_gen;
 * cryptsetup lib/crypto_backend/crypto_storage.c, crypt_sector_iv_generate
 */
export function whyNotAsDmCrypt(options: SectorCipherOptions): string | undefined {
  const { mode, ivGenerator } = canonicalNames(options);
  if (NOT_IN_KERNEL.includes(mode)) return `dm-crypt has no mode ${mode}`;
  const stream = STREAMS.includes(mode);
  if (ivGenerator === "benbi" && stream) {
    return `In ${mode} mode, benbi counts bytes in dm-crypt, and blocks in cryptsetup`;
  }
  if (ivGenerator !== "eboiv") return undefined;
  if (stream) return `dm-crypt has no eboiv in ${mode} mode`;
  if (mode !== "xts" && mode !== "lrw") return undefined;
  return `In ${mode} mode, the vectors of eboiv are encrypted in ${mode} by dm-crypt, and in ecb by cryptsetup`;
}
