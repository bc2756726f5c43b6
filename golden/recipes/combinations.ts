/** Every combination of cipher, key, mode, IV generator and hash of a LUKS volume of qemu-img. */
import type { CipherSpec } from "../../src/luks1/mod.ts";

/** Bytes of the keys of each cipher. */
const KEYS: Readonly<Record<string, readonly number[]>> = {
  aes: [16, 24, 32],
  serpent: [16, 24, 32],
  twofish: [16, 24, 32],
  cast5: [16],
};
const MODES = ["xts", "cbc", "ctr", "ecb"];
/** The hash of ESSIV is as long as a key of the cipher: MD5 or SHA-256. */
const GENERATORS = [
  { ivGenerator: "plain" },
  { ivGenerator: "plain64" },
  { ivGenerator: "essiv", ivHash: "md5", bytes: 16 },
  { ivGenerator: "essiv", ivHash: "sha256", bytes: 32 },
];
const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"];

/** Every combination with which qemu-img 7.2 creates a volume. */
export function everySpec(): CipherSpec[] {
  return Object.entries(KEYS).flatMap(([cipher, lengths]) =>
    lengths.flatMap((length) =>
      MODES.filter((mode) => isMade(cipher, { length, mode })).flatMap((mode) =>
        GENERATORS.filter(({ bytes = length }) => lengths.includes(bytes)).flatMap(
          ({ bytes: _, ...generator }) =>
            HASHES.map((hash) => {
              return {
                cipher,
                mode,
                hash,
                keyBytes: mode === "xts" ? 2 * length : length,
                ...generator,
              };
            }),
        )
      )
    )
  );
}

/**
 * Blocks of CAST5 are too short for XTS. With keys of 24 bytes qemu-img aborts, because 4000
 * stripes of them are not a multiple of 512 bytes.
 */
function isMade(cipher: string, { length, mode }: { length: number; mode: string }): boolean {
  return mode === "xts" ? cipher !== "cast5" : length !== 24;
}

/** A combination in words, as cryptsetup spells it. */
export function specName(
  { cipher, mode, ivGenerator, ivHash, keyBytes, hash }: CipherSpec,
): string {
  const iv = ivHash === undefined ? ivGenerator : `${ivGenerator}:${ivHash}`;
  return `${cipher}-${mode}-${iv} with ${keyBytes} bytes and ${hash}`;
}
