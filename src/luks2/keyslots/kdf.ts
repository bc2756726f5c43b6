import { argon2i, argon2id } from "@noble/hashes/argon2.js";
import { canonicalHash, pbkdf2 } from "../../crypto/mod.ts";
import { shown } from "../findings.ts";
import { SALT_BYTES } from "../geometry.ts";
import type { Kdf } from "../json/description.ts";
import { ARGON2_MEMORY_MAX } from "./budget.ts";

const ARGON2 = { argon2i, argon2id } as const;
/** RFC 9106, 3.1. */
const LANES_END = 2 ** 24;
const KIB_PER_LANE = 8;
const KIB = 1024;

/** Why a key cannot be derived: the end of the slug of the rule, and a sentence. */
export interface KdfFault {
  readonly rule: "type" | "salt" | "hash" | "costs";
  readonly message: string;
}

/** The first thing that is wrong with a key derivation, in the order in which cryptsetup finds it. */
export function kdfFault({ type, ...kdf }: Kdf): KdfFault | undefined {
  if (kdf.salt?.length !== SALT_BYTES) {
    const message = kdf.salt === undefined
      ? "the salt is not base64"
      : `the salt has ${kdf.salt.length} bytes, not ${SALT_BYTES}`;
    return { rule: "salt", message };
  }
  if (type === "pbkdf2") {
    if (canonicalHash(kdf.hash) === undefined) {
      return { rule: "hash", message: `the hash ${shown(kdf.hash)} is not known` };
    }
    if (kdf.iterations >= 1) return undefined;
    return { rule: "costs", message: `${kdf.iterations} iterations are too few` };
  }
  if (!Object.hasOwn(ARGON2, type)) {
    return { rule: "type", message: `the key derivation ${shown(type)} is not known` };
  }
  const { time, memory, cpus } = kdf;
  if (time >= 1 && cpus >= 1 && cpus < LANES_END && memory >= KIB_PER_LANE * cpus) return undefined;
  const message = `Argon2 cannot make ${time} passes over ${memory} KiB in ${cpus} lanes`;
  return { rule: "costs", message };
}

/**
 * The key that a passphrase gives.
 *
 * @param kdf without a {@link kdfFault}, and within {@link ARGON2_MEMORY_MAX}; the caller has bounded
 * its work
 * @param length bytes of the key, at least 4 for Argon2
 */
export function deriveKey(kdf: Kdf, passphrase: Uint8Array, length: number): Uint8Array {
  const { type, hash, iterations, time, memory, cpus, salt = new Uint8Array(SALT_BYTES) } = kdf;
  if (type === "pbkdf2") return pbkdf2(hash, passphrase, salt, iterations, length);
  const derive = ARGON2[type as keyof typeof ARGON2];
  const maxmem = ARGON2_MEMORY_MAX * KIB;
  return derive(passphrase, salt, { t: time, m: memory, p: cpus, dkLen: length, maxmem });
}
