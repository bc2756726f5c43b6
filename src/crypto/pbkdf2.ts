import { pbkdf2 as portablePbkdf2 } from "@noble/hashes/pbkdf2.js";
import { builtin, startsWith } from "../bytes/mod.ts";
import { knownHash, PORTABLE } from "./hash.ts";
import { canonicalHash } from "./hash_aliases.ts";
import { type HashName, hashTable } from "./hashes.ts";
import { deriveElsewhere } from "./pbkdf2_worker.ts";

/** Hashes that Deno's `pbkdf2Sync` does not support. */
const NOT_DERIVED_BY_PLATFORM: readonly HashName[] = ["whirlpool", "blake2b-512", "blake2s-256"];

/**
 * PBKDF2 with HMAC (RFC 8018, section 5.2).
 *
 * The work grows with the iterations and with the length in digests: callers that have these
 * numbers from an image must bound them first.
 *
 * @param hash as spelled in a LUKS header
 * @param iterations 1 to 2^31 - 1
 * @param length bytes of the key, at least 1
 * @throws {RangeError} when there is no such hash, or a number is out of its range
 *
 * @example
 * ```ts
 * import { pbkdf2 } from "./mod.ts";
 *
 * const passphrase = new TextEncoder().encode("correct horse");
 * const key = pbkdf2("sha256", passphrase, new Uint8Array(32), 1000, 64);
 * ```
 */
export function pbkdf2(
  hash: string,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const known = knownHash(hash);
  assertBetween(iterations, { what: "iterations", max: 2 ** 31 - 1 });
  assertBetween(length, { what: "bytes of key", max: 2 ** 31 - 1 });
  const { [known]: portable } = PORTABLE;
  if (portable !== undefined && NOT_DERIVED_BY_PLATFORM.includes(known)) {
    return portablePbkdf2(portable, password, salt, { c: iterations, dkLen: length });
  }
  const input = { password, salt, iterations, length };
  return deriveElsewhere(known, input) ??
    new Uint8Array(builtin("node:crypto").pbkdf2Sync(password, salt, iterations, length, known));
}

/** A digest of a key by PBKDF2, with which a LUKS header verifies it. */
export interface KeyDigest {
  readonly hash: string;
  readonly salt: Uint8Array;
  /** 1 to 2^31 - 1. */
  readonly iterations: number;
  readonly digest: Uint8Array;
}

/** Whether a key has a digest. */
export function hasDigest(
  key: Uint8Array,
  { hash, salt, iterations, digest }: KeyDigest,
): boolean {
  return startsWith(digest, pbkdf2(hash, key, salt, iterations, digest.length));
}

function assertBetween(value: number, { what, max }: { what: string; max: number }): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`Cannot derive a key: ${value} ${what} are not 1 to ${max}`);
}

/**
 * About how much longer an iteration takes than one with SHA-256, as measured in Deno 2.9. Hashes
 * that the platform lacks run in JavaScript.
 */
const FACTORS: Partial<Record<HashName, number>> = {
  md5: 1,
  sha1: 1,
  sha256: 1,
  whirlpool: 24,
  "blake2b-512": 48,
  "blake2s-256": 20,
};
const FACTOR_OF_OTHERS = 4;

/** The cost of {@link pbkdf2}, in iterations with SHA-256 that make one digest. */
export function derivationCost(hash: string, iterations: number, length: number): number {
  const name = canonicalHash(hash);
  if (name === undefined) return iterations;
  const blocks = Math.max(1, Math.ceil(length / hashTable[name].digestSize));
  return iterations * blocks * (FACTORS[name] ?? FACTOR_OF_OTHERS);
}
