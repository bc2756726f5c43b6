import { SECTOR } from "../../bytes/mod.ts";
import { canonicalNames, derivationCost } from "../../crypto/mod.ts";
import { cipherOptions } from "../encryption.ts";
import { materialBytes } from "../geometry.ts";
import type { Digest, Kdf, Keyslot } from "../json/description.ts";

/**
 * The most work for opening key slots, unless the caller sets another limit. An iteration of PBKDF2 with
 * SHA-256, an eighth of a KiB that Argon2 fills in all of its passes, and 128 bytes of key material each
 * count one. A key slot of cryptsetup, with at most 1 GiB and four passes, needs a third of it. With
 * Argon2 in JavaScript, the whole budget is about a minute.
 */
export const WORK_BUDGET = 100_000_000;

/** The cost of a KiB that Argon2 fills. */
const KIB_COST = 8;

/**
 * The most memory for Argon2 in KiB, whatever the budget: 1 GiB, as cryptsetup chooses by default.
 * Argon2 in JavaScript is limited to less than 4 GiB.
 */
export const ARGON2_MEMORY_MAX = 2 ** 20;

/** The most bytes of a key in a key slot. */
export const KEY_BYTES_MAX = 4096;

/** The cost of a key derivation, in units of the budget. */
export function kdfWork({ type, hash, iterations, time, memory }: Kdf, keyBytes: number): number {
  if (type !== "pbkdf2") return KIB_COST * Math.max(0, time) * Math.max(0, memory);
  return derivationCost(hash, Math.max(0, iterations), keyBytes);
}

/** Bytes of key material that cost as much to decrypt and to merge as one unit of the budget. */
const MATERIAL_UNIT = 128;
/** How many times slower a mode is that runs the cipher for each byte, or for each bit. */
const MODE_FACTORS: ReadonlyMap<string, number> = new Map([["cfb8", 8], ["cfb1", 64]]);

function materialWork({ key_size, area: { encryption } }: Keyslot): number {
  const { mode } = canonicalNames(cipherOptions({ encryption, sectorSize: SECTOR }));
  return Math.ceil(materialBytes(key_size) / MATERIAL_UNIT) * (MODE_FACTORS.get(mode) ?? 1);
}

/** The cost of comparing bytes with a digest: its hash counts as that of a key derivation does. */
export function digestWork({ hash, iterations, digest }: Digest): number {
  return derivationCost(hash, iterations, digest?.length ?? 0);
}

/** The cost of attempting key slots with a passphrase that opens none of them, or the last one. */
export function workOf(slots: readonly Keyslot[], digest: Digest): number {
  const ofDigest = digestWork(digest);
  return slots.reduce(
    (sum, slot) => sum + kdfWork(slot.kdf, slot.area.key_size) + ofDigest + materialWork(slot),
    0,
  );
}
