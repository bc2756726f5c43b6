import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { Keccak, shake128, shake256 } from "@noble/hashes/sha3.js";
import { builtin } from "../bytes/mod.ts";
import { hash } from "./hash.ts";
import { canonicalHash, inSmallLetters } from "./hash_aliases.ts";
import { hashTable } from "./hashes.ts";

/** The hash of `essiv`, which derives the key for the vectors from the volume key. */
export interface EssivHash {
  /** Bytes in a digest. */
  readonly digestSize: number;
  readonly digest: (key: Uint8Array) => Uint8Array;
}

/**
 * Hashes only for `essiv`: cryptsetup rejects them where it needs an HMAC, or a digest of at least 20
 * bytes, or OpenSSL does not have them. The others are those of OpenSSL 3.0 with its digest lengths: SHAKE (FIPS
 * 202) has the number of bits in its name, and the Keccak of KMAC128 (SP 800-185, with the padding
 * of cSHAKE128) has 32 bytes.
 */
const ESSIV_ONLY: ReadonlyMap<string, EssivHash> = new Map([
  // Those of the kernel: Whirlpool cut to 256 bits, and BLAKE2 of these lengths.
  ["wp256", { digestSize: 32, digest: (key) => hash("whirlpool", key).subarray(0, 32) }],
  ["blake2b-256", { digestSize: 32, digest: (key) => blake2b(key, { dkLen: 32 }) }],
  ["blake2s-128", { digestSize: 16, digest: (key) => blake2s(key, { dkLen: 16 }) }],
  ["md4", {
    digestSize: 16,
    digest: (key) => new Uint8Array(builtin("node:crypto").createHash("md4").update(key).digest()),
  }],
  ["shake128", { digestSize: 16, digest: (key) => shake128(key, { dkLen: 16 }) }],
  ["shake256", { digestSize: 32, digest: (key) => shake256(key, { dkLen: 32 }) }],
  [
    "keccak-kmac-128",
    { digestSize: 32, digest: (key) => new Keccak(168, 0x04, 32, true).update(key).digest() },
  ],
]);

/**
 * Their other names, and those of MD5, which has aliases only for `essiv`. They are like those of
 * `hashAliases`, without the names that exceed cryptsetup's limit of 31 letters for a mode.
 */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.2.4", "md4"],
  ["1.2.840.113549.2.5", "md5"],
  ["ssl3-md5", "md5"],
  ["shake-128", "shake128"],
  ["shake-256", "shake256"],
  ["keccak-kmac128", "keccak-kmac-128"],
]);

/** The hash of `essiv` with a name, as spelled in `hashTable` or here. */
export function essivHash(name: string): EssivHash | undefined {
  const facts = hashTable[name];
  if (facts === undefined) return ESSIV_ONLY.get(name);
  return { digestSize: facts.digestSize, digest: (key) => hash(name, key) };
}

/** The name under which {@link essivHash} has a hash that cryptsetup accepts by another name. */
export function canonicalEssivHash(name: string): string {
  const small = inSmallLetters(name);
  return canonicalHash(name) ?? ALIASES.get(small) ?? small;
}
