import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import { hasDigest, type KeptKeys, keyOfMaterial } from "../../crypto/mod.ts";
import type { WorkBudget } from "../../format/mod.ts";
import type { Metadata } from "../metadata.ts";
import { cipherOf } from "../encryption.ts";
import { brokenAt, type Luks2Broken } from "../findings.ts";
import { STRIPES } from "../geometry.ts";
import type { Digest, Keyslot } from "../json/description.ts";
import { protectedBytes } from "../reencryption/digest.ts";
import {
  type Attempts,
  attemptsOf,
  overBudget,
  protectionFault,
  protectionWork,
  whyNotAttempted,
} from "./attempts.ts";
import { WORK_BUDGET, workOf } from "./budget.ts";
import { deriveKey } from "./kdf.ts";
import { digestFault, materialStart, slotFault } from "./usable.ts";

/** Options for opening a key slot. */
export interface UnlockOptions {
  /** The file that starts with the header. */
  readonly keyMaterial: ByteSource;
  readonly passphrase: Uint8Array;
  /** The only slot that is attempted, even with priority 0. */
  readonly slot?: number;
  /** The work limit; {@link WORK_BUDGET} by default. */
  readonly iterationsMax?: number;
  /** The remaining work, if it is shared. */
  readonly budget?: WorkBudget | undefined;
  /** Keys of slots that were opened before. */
  readonly keptKeys?: KeptKeys | undefined;
}

/** The keys of a volume, and the slot that the last one came from. */
export interface Unlocked {
  readonly slot: number;
  /** The key that was in that slot. */
  readonly volumeKey: Uint8Array;
  /** By the names of their digests: one, and during an online reencryption up to two. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/**
 * Opens, for each key of a volume, the first key slot that matches the passphrase. Before each attempt,
 * its cost is compared with the remaining budget. As in cryptsetup, the search ends at a slot that
 * cannot be used. In an online reencryption, the second key is searched only if the first one was
 * found. Finally, the reencryption is compared with its digest.
 *
 * @returns the keys, or the rule that is broken
 * @see LUKS2 On-Disk Format 1.1.1, 4.3 Keyslot Content Retrieval, 4.9.2 Keyslot Protection
 */
export function unlock(metadata: Metadata, options: UnlockOptions): Unlocked | Luks2Broken {
  const { iterationsMax = WORK_BUDGET, budget = { left: iterationsMax } } = options;
  const attempts = attemptsOf(metadata, options.slot);
  const refused = whyNotAttempted(metadata, attempts);
  if (refused !== undefined) return refused;
  const keys = new Map<string, Uint8Array>();
  let last: Opened | undefined;
  for (const each of attempts) {
    const opened = openOne(metadata, each, { ...options, budget });
    if (!("volumeKey" in opened)) return opened;
    keys.set(each.digest.name, opened.volumeKey);
    last = opened;
  }
  if (last === undefined) return wrongPassphrase(metadata);
  return protectionBroken(metadata, keys, budget) ?? { ...last, keys };
}

type Opened = Omit<Unlocked, "keys">;

function openOne(
  metadata: Metadata,
  { slots, digest }: Attempts,
  options: UnlockOptions & { readonly budget: WorkBudget },
): Opened | Luks2Broken {
  const { keyMaterial, budget } = options;
  let skipped: Luks2Broken | undefined;
  for (const slot of slots) {
    const fault = slotFault(metadata, slot, { headerBytes: keyMaterial.size }) ??
      digestFault(metadata, digest);
    if (fault?.skipped === true) {
      skipped ??= fault;
      continue;
    }
    const broken = fault ?? spend(metadata, workOf([slot], digest), budget);
    if (broken !== undefined) return broken;
    const volumeKey = keyOf(slot, options);
    if (isKeyOf(digest, volumeKey)) return { slot: slot.number, volumeKey };
  }
  return skipped ?? wrongPassphrase(metadata);
}

/** Subtracts the cost of some work from the budget, or returns the reason why it is not done. */
function spend(metadata: Metadata, cost: number, budget: WorkBudget): Luks2Broken | undefined {
  if (cost > budget.left) return overBudget(metadata, cost, budget.left);
  budget.left -= cost;
  return undefined;
}

function wrongPassphrase(metadata: Metadata): Luks2Broken {
  return brokenAt(metadata, "luks2.key.unlock", "/keyslots", "The passphrase opens no key slot");
}

/** Why the reencryption in progress does not match its digest. */
function protectionBroken(
  metadata: Metadata,
  keys: ReadonlyMap<string, Uint8Array>,
  budget: WorkBudget,
): Luks2Broken | undefined {
  const { reencryption } = metadata;
  if (reencryption === undefined) return undefined;
  const broken = protectionFault(metadata) ?? spend(metadata, protectionWork(metadata), budget);
  if (broken !== undefined) return broken;
  const bytes = protectedBytes(reencryption, [...keys.values()]);
  const { slot: { name }, digest } = reencryption;
  if (bytes !== undefined && digest !== undefined && isKeyOf(digest, bytes)) return undefined;
  const message = `The reencryption in key slot ${name} does not match its digest`;
  return brokenAt(metadata, "luks2.reencryption.digest", `/keyslots/${name}`, message);
}

/**
 * The key that a passphrase decrypts from a slot: the volume key if the passphrase is correct, and
 * other bytes otherwise.
 *
 * @param slot without a `slotFault`
 */
function keyOf(
  slot: Keyslot,
  { keyMaterial, passphrase, keptKeys }: Pick<
    UnlockOptions,
    "keyMaterial" | "passphrase" | "keptKeys"
  >,
): Uint8Array {
  const { kdf, area, af, key_size } = slot;
  const { type, hash, iterations, time, memory, cpus, salt = new Uint8Array() } = kdf;
  const derivation = [type, hash, iterations, time, memory, cpus];
  const facts = [...derivation, area.encryption, area.key_size, key_size, af.hash];
  return keyOfMaterial(key_size, {
    stripes: STRIPES,
    hash: af.hash,
    cipher: () => {
      const slotKey = deriveKey(kdf, passphrase, area.key_size);
      return cipherOf({ encryption: area.encryption, sectorSize: SECTOR }, slotKey);
    },
    kept: keptKeys && { keys: keptKeys, from: { facts, salt, passphrase } },
    read: (target) => keyMaterial.readInto(materialStart(slot), target),
  });
}

/** Whether a key has a digest, which has no `digestFault`. */
function isKeyOf({ hash, iterations, salt, digest }: Digest, key: Uint8Array): boolean {
  return salt !== undefined && digest !== undefined &&
    hasDigest(key, { hash, iterations, salt, digest });
}
