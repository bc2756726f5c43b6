import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import { afMerge, pbkdf2 } from "../../crypto/mod.ts";
import type { WorkBudget } from "../../format/mod.ts";
import { cipherOf } from "../cipher.ts";
import { digestFault, materialStart, slotFault } from "../faults.ts";
import { materialBytes, STRIPES } from "../geometry.ts";
import { deriveKey } from "./kdf.ts";
import type { Digest, Keyslot } from "./keyslots.ts";
import type { Metadata } from "../metadata.ts";
import { type Reencryption, reencryptionOf } from "../reencryption/reencryption.ts";
import { protectedBytes } from "../reencryption/digest.ts";
import { type Luks2Broken, placeOf } from "../findings.ts";
import {
  overBudget,
  protectionFault,
  protectionWork,
  type Tried,
  triesOf,
  whyNotTried,
} from "./trial.ts";
import { WORK_BUDGET, workOf } from "./budget.ts";

/** What a passphrase is tried with. */
export interface UnlockOptions {
  /** The file that starts with the header. */
  readonly keyMaterial: ByteSource;
  readonly passphrase: Uint8Array;
  /** The only slot that is tried, also with priority 0. */
  readonly slot?: number;
  /** Work that is done at most, {@link WORK_BUDGET} by default. */
  readonly iterationsMax?: number;
  /** What is left of that, where it is for more than this. */
  readonly budget?: WorkBudget | undefined;
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
 * Opens, for each key of a volume, the first key slot that the passphrase fits. Before a slot is tried,
 * what it costs is held against what is left of the budget. A slot that cannot be used ends the search,
 * as it does in cryptsetup. The second key of an online reencryption is not looked for where there is
 * no first one; then the reencryption is held against its digest.
 *
 * @returns the keys, or the rule that is broken
 * @see LUKS2 On-Disk Format 1.1.1, 4.3 Keyslot Content Retrieval, 4.9.2 Keyslot Protection
 */
export function unlock(metadata: Metadata, options: UnlockOptions): Unlocked | Luks2Broken {
  const { iterationsMax = WORK_BUDGET, budget = { left: iterationsMax } } = options;
  const tries = triesOf(metadata, options);
  const refused = whyNotTried(metadata, tries);
  if (refused !== undefined) return refused;
  const keys = new Map<string, Uint8Array>();
  let last: Opened | undefined;
  for (const tried of tries) {
    const opened = openOne(metadata, tried, { ...options, budget });
    if (!("volumeKey" in opened)) return opened;
    keys.set(tried.digest.name, opened.volumeKey);
    last = opened;
  }
  if (last === undefined) return wrongPassphrase(metadata);
  return judgeProtection(metadata, keys, budget) ?? { ...last, keys };
}

type Opened = Omit<Unlocked, "keys">;

function openOne(
  metadata: Metadata,
  { slots, digest }: Tried,
  options: UnlockOptions & { readonly budget: WorkBudget },
): Opened | Luks2Broken {
  const { keyMaterial, budget } = options;
  let passedOver: Luks2Broken | undefined;
  for (const slot of slots) {
    const cost = workOf([slot], digest);
    const fault = slotFault(metadata, slot, { headerBytes: keyMaterial.size }) ??
      digestFault(metadata, digest);
    if (fault?.passedOver === true) passedOver ??= fault;
    else if (fault !== undefined) return fault;
    else if (cost > budget.left) return overBudget(metadata, cost, budget.left);
    else {
      budget.left -= cost;
      const volumeKey = keyOf(slot, options);
      if (isVolumeKey(digest, volumeKey)) return { slot: slot.number, volumeKey };
    }
  }
  return passedOver ?? wrongPassphrase(metadata);
}

function wrongPassphrase({ copy }: Metadata): Luks2Broken {
  const message = "The passphrase opens no key slot";
  return { rule: "luks2.key.unlock", place: placeOf(copy, "/keyslots"), message };
}

/** Whether the reencryption that is going on is the one that was begun by who had the keys. */
function judgeProtection(
  metadata: Metadata,
  keys: ReadonlyMap<string, Uint8Array>,
  budget: WorkBudget,
): Luks2Broken | undefined {
  const reencryption = reencryptionOf(metadata.root);
  if (reencryption === undefined) return undefined;
  const fault = protectionFault(metadata);
  if (fault !== undefined) return fault;
  const cost = protectionWork(reencryption);
  if (cost > budget.left) return overBudget(metadata, cost, budget.left);
  budget.left -= cost;
  if (isProtected(reencryption, keys)) return undefined;
  const { slot: { name, node } } = reencryption;
  const message = `The digest of the reencryption in key slot ${name} is another one`;
  const place = placeOf(metadata.copy, `/keyslots/${name}`, node);
  return { rule: "luks2.reencryption.digest", place, message };
}

function isProtected(
  reencryption: Reencryption,
  keys: ReadonlyMap<string, Uint8Array>,
): boolean {
  const bytes = protectedBytes(reencryption, [...keys.values()]);
  const { digest } = reencryption;
  return bytes !== undefined && digest !== undefined && isVolumeKey(digest, bytes);
}

/**
 * The key that a slot gives for a passphrase: the one of the volume where the passphrase is right, and
 * other bytes where it is not.
 *
 * @param slot without a `slotFault`
 */
export function keyOf(
  slot: Keyslot,
  { keyMaterial, passphrase }: Pick<UnlockOptions, "keyMaterial" | "passphrase">,
): Uint8Array {
  const { kdf, area, af, keyBytes } = slot;
  const key = deriveKey(kdf, passphrase, area.keyBytes);
  const material = new Uint8Array(materialBytes(keyBytes));
  keyMaterial.readInto(materialStart(slot), material);
  cipherOf({ encryption: area.encryption, sectorSize: SECTOR }, key).decrypt(material, 0n);
  return afMerge(material.subarray(0, keyBytes * STRIPES), keyBytes, STRIPES, af.hash);
}

/**
 * Whether a key is the one that has a digest.
 *
 * @param digest without a `digestFault`
 */
export function isVolumeKey(digest: Digest, key: Uint8Array): boolean {
  const { hash, iterations, salt, digest: stored } = digest;
  if (salt === undefined || stored === undefined) return false;
  const computed = pbkdf2(hash, key, salt, iterations, stored.length);
  return computed.every((byte, at) => byte === stored[at]);
}
