/** Every encryption that cryptsetup supports without the kernel. */

import {
  type CipherMode,
  hashAliases,
  hashNames,
  hashTable,
  ivGenerators,
  reasonUnusable,
} from "../../src/crypto/mod.ts";
import type { Choice } from "../image/pairwise.ts";

/** What cryptsetup is asked to encrypt with. */
export interface Encryption {
  /** As its option --cipher takes it. */
  readonly encryption: string;
  readonly keyBytes: number;
}

/** The ciphers that OpenSSL has by the names of headers, with all that goes with them. */
export const dimensions = {
  cipher: ["aes", "camellia"],
  mode: ["ecb", "cbc", "ctr", "xts", "cfb", "cfb8", "cfb1", "ofb"] satisfies CipherMode[],
  ivGenerator: ivGenerators,
  keyBytes: [16, 24, 32, 64],
} as const;

/** The hash of every essiv. */
const HASH = "sha256";

/** Whether cryptsetup has an encryption: all of the reference except those that OpenSSL lacks. */
export function isOfCryptsetup(choice: Choice<typeof dimensions>): boolean {
  const { cipher, mode, ivGenerator, keyBytes } = choice;
  // In ecb mode there is no generator, which is one choice and not seven.
  if (mode === "ecb") return ivGenerator === "null" && keyBytes <= 32;
  if (mode === "xts" && (cipher !== "aes" || keyBytes === 24)) return false;
  return reasonUnusable({ cipher, mode, ivGenerator, ivHash: HASH }, keyBytes) === undefined;
}

export function encryptionOf(choice: Choice<typeof dimensions>): Encryption {
  const { cipher, mode, ivGenerator, keyBytes } = choice;
  const hash = ivGenerator === "essiv" ? `:${HASH}` : "";
  const generator = mode === "ecb" ? "" : `-${ivGenerator}${hash}`;
  return { encryption: `${cipher}-${mode}${generator}`, keyBytes };
}

/** Every hash of essiv that has a digest as long as a key of AES, by each name that fits a header. */
const essivHashes: readonly string[] = [
  ...["md4", "1.2.840.113549.2.4", "md5", "1.2.840.113549.2.5", "ssl3-md5", "shake128"],
  ...["shake-128", "sha256", "sha-256", "sha2-256", "SHA256", "sha512-256", "sha-512/256"],
  ...["sha2-512/256", "sha3-256", "blake2s-256", "blake2s256", "sm3", "1.2.156.10197.1.401"],
  ...["shake256", "shake-256", "keccak-kmac-128", "keccak-kmac128"],
];

/** Names that cryptsetup finds and writes down as they are. */
export const spelled: readonly Encryption[] = [
  ...essivHashes.map((hash) => `aes-cbc-essiv:${hash}`),
  ...["AES-CBC-PLAIN64", "Camellia-Cfb8-EBOIVx", "aes-CTR-Null", "AES-xts-Plain64BE"],
  ...["camellia-OFB-benbi:2", "aes-cfb1-ESSIV:Sha3-256", "aes", "aes-plain"],
].map((encryption, i) => ({ encryption, keyBytes: encryption.includes("xts") || i % 2 ? 32 : 16 }));

/** Every name of a hash that cryptsetup takes. */
const hashes: readonly string[] = hashNames.filter((name) => hashTable[name].cryptsetup)
  .flatMap((name) => [name, ...hashAliases[name] ?? []]);

/** One of all hashes, under all of their names, that cryptsetup accepts for key slots. */
export function hashAt(index: number): string {
  return hashes[index % hashes.length] ?? "";
}

/** The options of cryptsetup for it: a small header, and a fast key derivation. */
export function optionsOf({ encryption, keyBytes }: Encryption, hash: string): string[] {
  return [
    ...["--cipher", encryption, "--key-size", String(8 * keyBytes), "--hash", hash],
    ...["--luks2-keyslots-size", "4M", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"],
  ];
}
