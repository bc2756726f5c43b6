import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { CHash } from "@noble/hashes/utils.js";
import { builtin } from "../bytes/mod.ts";
import { canonicalHash } from "./hash_aliases.ts";
import { type HashName, hashTable } from "./hashes.ts";
import { md5Sha1 } from "./md5_sha1.ts";
import { oneBlockHash, type Replace } from "./one_block.ts";
import { replaceBySm3 } from "./sm3.ts";
import { whirlpool } from "./whirlpool.ts";

/** The platform's names where they differ from those in headers. */
const PLATFORM_NAMES: Partial<Record<HashName, string>> = {
  "blake2b-512": "blake2b512",
  "blake2s-256": "blake2s256",
};

/** Hashes in JavaScript: those that the platform lacks, and those for which it is slow. */
export const PORTABLE: Partial<Record<HashName, CHash>> = {
  md5,
  sha1,
  sha224,
  sha256,
  sha384,
  sha512,
  ripemd160,
  whirlpool,
  "blake2b-512": blake2b as CHash,
  "blake2s-256": blake2s as CHash,
  "md5-sha1": md5Sha1 as CHash,
};

/** Hashes that Deno's `createHash` does not have. */
const NOT_HASHED_BY_PLATFORM: readonly HashName[] = ["whirlpool"];

/**
 * The digest of the concatenation of parts.
 *
 * @param name as spelled in a LUKS header
 * @throws {RangeError} when there is no such hash
 */
export function hash(name: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const known = knownHash(name);
  const { [known]: portable } = PORTABLE;
  const context = portable !== undefined && NOT_HASHED_BY_PLATFORM.includes(known)
    ? portable.create()
    : builtin("node:crypto").createHash(PLATFORM_NAMES[known] ?? known);
  for (const part of parts) context.update(part);
  return new Uint8Array(context.digest());
}

/** A hash of a number and bytes. */
export interface NumberedHash {
  /** Bytes in a digest. */
  readonly digestSize: number;
  /**
   * Replaces bytes by the start of the digest of the number (32 bits, big-endian) and the bytes.
   * There are at most as many bytes as in a digest.
   */
  readonly replace: Replace;
}

/**
 * A hash for many short inputs. Creating a context of the platform for each would take about ten
 * times as long as the hash itself.
 *
 * @throws {RangeError} when there is no such hash
 */
export function numberedHash(name: string): NumberedHash {
  const known = knownHash(name);
  const { digestSize } = hashTable[known];
  if (known === "sm3") return { digestSize, replace: replaceBySm3 };
  const oneBlock = oneBlockHash(PORTABLE[known], digestSize);
  if (oneBlock !== undefined) return { digestSize, replace: oneBlock };
  const digest = new Uint8Array(digestSize);
  const counter = new Uint8Array(4);
  const view = new DataView(counter.buffer);
  const blank = PORTABLE[known]?.create();
  const context = PORTABLE[known]?.create();
  return {
    digestSize,
    replace: (number, bytes) => {
      view.setUint32(0, number);
      if (blank === undefined || context === undefined) {
        digest.set(hash(known, counter, bytes));
      } else {
        blank._cloneInto(context);
        context.update(counter).update(bytes).digestInto(digest);
      }
      bytes.set(digest.subarray(0, bytes.length));
    },
  };
}

/** @throws {RangeError} when there is no such hash */
export function knownHash(name: string): HashName {
  const known = canonicalHash(name);
  if (known === undefined) throw new RangeError(`Cannot use the hash ${name}: it is not known`);
  return known;
}
