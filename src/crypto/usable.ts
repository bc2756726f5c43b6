import { ADIANTUM } from "./adiantum.ts";
import { cipherTable, isCipherMode, isCipherName, volumeKeyLengths } from "./ciphers.ts";
import { essivHash } from "./essiv_hash.ts";
import type { SectorCipherOptions } from "./sector_options.ts";
import { isIvGenerator } from "./iv.ts";
import { canonicalNames } from "./spelling.ts";

/** The sector sizes, in dm-crypt and here. */
const SECTOR_SIZES: readonly number[] = [512, 1024, 2048, 4096];

/** Names of the kernel's crypto interface that cryptsetup accepts, and that are not implemented. */
const UNIMPLEMENTED: { readonly ciphers: readonly string[]; readonly modes: readonly string[] } = {
  ciphers: [
    ...["aegis128", "aegis128l", "aegis256", "anubis", "aria", "blowfish", "cast6", "chacha20"],
    ...["chacha20,poly1305", "des3_ede", "khazad", "morus640", "morus1280", "seed", "tea", "xtea"],
  ],
  modes: ["ccm", "cts", "gcm", "hctr2", "pcbc"],
};

/**
 * A sentence on why `sectorCipher` does not support these options with keys of that length, or
 * `undefined` if it does.
 */
export function reasonUnusable(
  options: SectorCipherOptions,
  keyLength: number,
): string | undefined {
  const canonical = canonicalNames(options);
  const { cipher, mode, sectorSize = 512 } = canonical;
  if (mode === ADIANTUM.mode) return reasonAdiantumUnusable(canonical, keyLength);
  if (UNIMPLEMENTED.ciphers.includes(cipher) || UNIMPLEMENTED.modes.includes(mode)) {
    return `Cannot use ${cipher} in ${mode} mode: it is not implemented`;
  }
  if (!isCipherName(cipher)) return `Cannot use the cipher ${cipher}: it is not known`;
  if (!isCipherMode(mode)) return `Cannot use the mode ${mode}: it is not known`;
  const lengths = volumeKeyLengths(cipher, mode);
  if (lengths.length === 0) return `Cannot use ${cipher} in ${mode} mode: it has no such mode`;
  if (!lengths.includes(keyLength)) {
    const list = lengths.join(", ");
    return `Cannot use ${cipher} in ${mode} mode: a key of ${keyLength} bytes is not one of ${list}`;
  }
  if (!SECTOR_SIZES.includes(sectorSize)) {
    const list = SECTOR_SIZES.join(", ");
    return `Cannot use sectors of ${sectorSize} bytes: they can have ${list}`;
  }
  return mode === "ecb" ? undefined : reasonIvUnusable(canonical, keyLength);
}

function reasonAdiantumUnusable(
  { cipher, ivGenerator, sectorSize = 512 }: SectorCipherOptions,
  keyLength: number,
): string | undefined {
  if (!Object.hasOwn(ADIANTUM.rounds, cipher)) {
    return `Cannot use ${cipher} in adiantum mode: it is not implemented`;
  }
  if (keyLength !== ADIANTUM.keyLength) {
    return `Cannot use ${cipher} in adiantum mode: a key of ${keyLength} bytes is not one of 32`;
  }
  if (!ADIANTUM.ivGenerators.includes(ivGenerator)) {
    return `Cannot use the IV generator ${ivGenerator} in adiantum mode: it is not implemented`;
  }
  return SECTOR_SIZES.includes(sectorSize)
    ? undefined
    : `Cannot use sectors of ${sectorSize} bytes: they can have ${SECTOR_SIZES.join(", ")}`;
}

function reasonIvUnusable(
  { cipher, mode, ivGenerator, ivHash }: SectorCipherOptions,
  keyLength: number,
): string | undefined {
  if (!isIvGenerator(ivGenerator)) {
    return `Cannot use the IV generator ${ivGenerator}: it is not known`;
  }
  const { keyLengths = [] } = cipherTable[cipher] ?? {};
  // In xts mode, both keys together are one.
  if (ivGenerator === "eboiv" && !keyLengths.includes(keyLength)) {
    return `Cannot use eboiv in ${mode} mode: ${cipher} takes no key of ${keyLength} bytes`;
  }
  if (ivGenerator !== "essiv") return undefined;
  if (ivHash === undefined) return "Cannot use essiv: there is no hash";
  const { digestSize } = essivHash(ivHash) ?? {};
  if (digestSize === undefined) return `Cannot use the hash ${ivHash}: it is not known`;
  return keyLengths.includes(digestSize)
    ? undefined
    : `Cannot use essiv with ${ivHash}: ${cipher} takes no key of ${digestSize} bytes`;
}
