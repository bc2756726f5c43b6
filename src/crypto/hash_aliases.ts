import { type HashName, hashNames, hashTable } from "./hashes.ts";

/**
 * Other names for hashes in headers. cryptsetup stores the name that it is given, in lower case
 * (lib/luks1/keymanage.c, `LUKS_fix_header_compatible`), if OpenSSL knows it; OpenSSL 3.0 also
 * knows these (providers/implementations/include/prov/names.h). QEMU knows none of them.
 *
 * Hashes that cryptsetup rejects are not listed: digests of fewer than 20 bytes, and hashes without
 * an HMAC.
 */
export const hashAliases: Readonly<Partial<Record<HashName, readonly string[]>>> = Object.freeze({
  sha1: ["sha-1", "ssl3-sha1", "1.3.14.3.2.26"],
  sha224: ["sha-224", "sha2-224", "2.16.840.1.101.3.4.2.4"],
  sha256: ["sha-256", "sha2-256", "2.16.840.1.101.3.4.2.1"],
  sha384: ["sha-384", "sha2-384", "2.16.840.1.101.3.4.2.2"],
  sha512: ["sha-512", "sha2-512", "2.16.840.1.101.3.4.2.3"],
  ripemd160: ["ripemd-160", "ripemd", "rmd160", "1.3.36.3.2.1"],
  sm3: ["1.2.156.10197.1.401"],
  whirlpool: ["1.0.10118.3.0.55"],
  "sha512-224": ["sha-512/224", "sha2-512/224", "2.16.840.1.101.3.4.2.5"],
  "sha512-256": ["sha-512/256", "sha2-512/256", "2.16.840.1.101.3.4.2.6"],
  "sha3-224": ["2.16.840.1.101.3.4.2.7"],
  "sha3-256": ["2.16.840.1.101.3.4.2.8"],
  "sha3-384": ["2.16.840.1.101.3.4.2.9"],
  "sha3-512": ["2.16.840.1.101.3.4.2.10"],
  "blake2b-512": ["blake2b512", "1.3.6.1.4.1.1722.12.2.1.16"],
  "blake2s-256": ["blake2s256", "1.3.6.1.4.1.1722.12.2.2.8"],
});

/** Every name that cryptsetup has for a hash, in lower case. */
const NAMES: ReadonlyMap<string, HashName> = new Map(
  hashNames.filter((name) => hashTable[name].cryptsetup).flatMap((name) =>
    [name, ...hashAliases[name] ?? []].map((spelling) => [spelling, name] as const)
  ),
);

/**
 * The hash that a name in a header stands for. The name is one of `hashTable`, an alias that
 * cryptsetup accepts, or one of these in any case. `undefined` when there is no such hash.
 *
 * This is for the hash of PBKDF2 and of the anti-forensic splitter; `essiv` has more hashes.
 */
export function canonicalHash(name: string): HashName | undefined {
  if (hashTable[name] !== undefined) return name as HashName;
  return NAMES.get(inSmallLetters(name));
}

/** A name with its ASCII letters in lower case, as OpenSSL compares names. */
export function inSmallLetters(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
