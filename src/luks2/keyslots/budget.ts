import { SECTOR } from "../../bytes/mod.ts";
import { canonicalNames, derivationCost } from "../../crypto/mod.ts";
import { cipherOptions } from "../encryption.ts";
import { materialBytes } from "../geometry.ts";
import type { Digest, Kdf, Keyslot } from "../json/description.ts";

/**
 * Work that trying passphrases may take, unless the caller sets another limit: iterations of PBKDF2 with
 * SHA-256, eighths of a KiB that Argon2 fills in all of its passes, and 128 bytes of key material, each
 * count one. cryptsetup makes a key slot of up to 1 GiB with four passes, which is a third of it; with
 * Argon2 in JavaScript, the whole is about a minute.
 */
export const WORK_BUDGET = 100_000_000;

/** What a KiB that Argon2 fills costs. */
const KIB_COST = 8;

/**
 * KiB of memory that Argon2 takes at most, whatever the budget: 1 GiB, which is what cryptsetup takes
 * by itself at most. Argon2 in JavaScript can have less than 4 GiB.
 */
export const ARGON2_MEMORY_MAX = 2 ** 20;

/** Bytes of a key in a key slot at most. */
export const KEY_BYTES_MAX = 4096;

/** What a key derivation costs, in units of the budget. */
export function kdfWork({ type, hash, iterations, time, memory }: Kdf, keyBytes: number): number {
  if (type !== "pbkdf2") return KIB_COST * Math.max(0, time) * Math.max(0, memory);
  return derivationCost(hash, Math.max(0, iterations), keyBytes);
}

/** Bytes of key material that cost as much to decrypt and to merge as one unit of the budget. */
const MATERIAL_UNIT = 128;
/** How many times as long as others a mode takes that runs the cipher for each byte, or for each bit. */
const MODE_FACTORS: ReadonlyMap<string, number> = new Map([["cfb8", 8], ["cfb1", 64]]);

function materialWork({ key_size, area: { encryption } }: Keyslot): number {
  const { mode } = canonicalNames(cipherOptions({ encryption, sectorSize: SECTOR }));
  return Math.ceil(materialBytes(key_size) / MATERIAL_UNIT) * (MODE_FACTORS.get(mode) ?? 1);
}

/** What holding bytes against a digest costs: its hash counts as that of a key derivation does. */
export function digestWork({ hash, iterations, digest }: Digest): number {
  return derivationCost(hash, iterations, digest?.length ?? 0);
}

/** What trying a passphrase on key slots costs when it opens none of them, or the last one. */
export function workOf(slots: readonly Keyslot[], digest: Digest): number {
  const ofDigest = digestWork(digest);
  return slots.reduce(
    (sum, slot) => sum + kdfWork(slot.kdf, slot.area.key_size) + ofDigest + materialWork(slot),
    0,
  );
}
