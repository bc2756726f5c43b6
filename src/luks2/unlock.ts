import type { ByteSource } from "../bytes/mod.ts";
import { afMerge, canonicalHash, hashTable, pbkdf2 } from "../crypto/mod.ts";
import type { WorkBudget } from "../format/mod.ts";
import { cipherOf, isKnownCipher, whyNoCipher } from "./cipher.ts";
import { materialBytes, SALT_BYTES, SECTOR, STRIPES } from "./geometry.ts";
import { deriveKey, kdfFault } from "./kdf.ts";
import { type Digest, digestsOf, type Keyslot, keyslotsOf } from "./keyslots.ts";
import type { Metadata } from "./metadata.ts";
import { member } from "./nodes.ts";
import { type Luks2Broken, type Luks2Rule, placeOf, shown } from "./report.ts";
import { defaultSegment } from "./segments.ts";
import { ARGON2_MEMORY_MAX, KEY_BYTES_MAX, WORK_BUDGET, workOf } from "./work.ts";

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

/** The key of a volume, and the slot that it came from. */
export interface Unlocked {
  readonly slot: number;
  readonly volumeKey: Uint8Array;
}

/** The key slots that are tried on a volume, in this order, and the digest that their keys have. */
export interface Tried {
  readonly slots: readonly Keyslot[];
  readonly digest: Digest;
}

/**
 * The key slots that can hold the key of the segment, as cryptsetup tries them: those with priority 2,
 * then those with priority 1; `undefined` where there is none.
 *
 * @param only the one slot that is tried, whatever its priority
 */
export function triedSlots({ root }: Metadata, only?: number): Tried | undefined {
  const segment = defaultSegment(root)?.name ?? "";
  const digests = digestsOf(root);
  const digest = digests.find(({ segments }) => segments.includes(segment));
  if (digest === undefined) return undefined;
  // The first digest that names a slot is the one of its key.
  const owners = new Map<string, Digest>();
  for (const owner of digests) {
    for (const name of owner.keyslots) if (!owners.has(name)) owners.set(name, owner);
  }
  const fitting = keyslotsOf(root).filter(({ type, number }) =>
    type === "luks2" && owners.get(String(number)) === digest
  );
  const slots = only === undefined
    ? [2, 1].flatMap((wanted) => fitting.filter(({ priority }) => priority === wanted))
    : fitting.filter(({ number }) => number === only);
  return slots.length === 0 ? undefined : { slots, digest };
}

/**
 * What no passphrase changes: whether there is a key slot to be tried, and whether memory and keys stay
 * within their bounds.
 */
export function whyNotTried(
  metadata: Metadata,
  { slot }: Pick<UnlockOptions, "slot"> = {},
): Luks2Broken | undefined {
  const tried = triedSlots(metadata, slot);
  const broken = (rule: Luks2Rule, message: string, name?: string): Luks2Broken => {
    const path = name === undefined ? "/keyslots" : `/keyslots/${name}`;
    return { rule, place: placeOf(metadata.copy, path), message };
  };
  if (tried === undefined) {
    return broken("luks2.keyslot.any", "No key slot is tried: no passphrase opens the volume");
  }
  for (const { name, keyBytes, kdf } of tried.slots) {
    if (kdf.type !== "pbkdf2" && kdf.memory > ARGON2_MEMORY_MAX) {
      const message = `Key slot ${name} takes ${kdf.memory} KiB, more than ${ARGON2_MEMORY_MAX}`;
      return broken("luks2.work.memory", message, name);
    }
    if (keyBytes > KEY_BYTES_MAX) {
      const message = `The key in slot ${name} has ${keyBytes} bytes, more than ${KEY_BYTES_MAX}`;
      return broken("luks2.work.key-size", message, name);
    }
  }
  return undefined;
}

/** Whether trying a passphrase on all key slots may take more work than there is a budget for. */
export function whyOverBudget(
  metadata: Metadata,
  { iterationsMax = WORK_BUDGET }: Pick<UnlockOptions, "iterationsMax"> = {},
): Luks2Broken | undefined {
  const tried = triedSlots(metadata);
  const work = tried === undefined ? 0 : workOf(tried.slots, tried.digest);
  return work <= iterationsMax ? undefined : overBudget(metadata, work, iterationsMax);
}

function overBudget({ copy }: Metadata, work: number, budget: number): Luks2Broken {
  const message = `The key slots take work of ${work}, more than the budget of ${budget}`;
  return { rule: "luks2.work.budget", place: placeOf(copy, "/keyslots"), message };
}

/**
 * Opens the first key slot that the passphrase fits. Before a slot is tried, what it costs is held
 * against what is left of the budget. A slot that cannot be used ends the search, as it does in cryptsetup.
 *
 * @returns the key, or the rule that is broken
 * @see LUKS2 On-Disk Format 1.1.1, 4.3 Keyslot Content Retrieval
 */
export function unlock(metadata: Metadata, options: UnlockOptions): Unlocked | Luks2Broken {
  const refused = whyNotTried(metadata, options);
  const tried = triedSlots(metadata, options.slot);
  if (refused !== undefined) return refused;
  if (tried === undefined) return wrongPassphrase(metadata);
  const { iterationsMax = WORK_BUDGET, budget = { left: iterationsMax } } = options;
  let passedOver: Luks2Broken | undefined;
  for (const slot of tried.slots) {
    const cost = workOf([slot], tried.digest);
    const fault = slotFault(metadata, slot) ?? digestFault(metadata, tried.digest);
    if (fault?.passedOver === true) passedOver ??= fault;
    else if (fault !== undefined) return fault;
    else if (cost > budget.left) return overBudget(metadata, cost, budget.left);
    else {
      budget.left -= cost;
      const volumeKey = keyOf(slot, options);
      if (isVolumeKey(tried.digest, volumeKey)) return { slot: slot.number, volumeKey };
    }
  }
  return passedOver ?? wrongPassphrase(metadata);
}

function wrongPassphrase({ copy }: Metadata): Luks2Broken {
  const message = "The passphrase opens no key slot";
  return { rule: "luks2.key.unlock", place: placeOf(copy, "/keyslots"), message };
}

/** What every passphrase stumbles over, before it has opened any slot. */
export function firstFault(metadata: Metadata, { slots, digest }: Tried): SlotFault | undefined {
  const faults = slots.map((slot) => slotFault(metadata, slot) ?? digestFault(metadata, digest));
  const first = faults.find((fault) => fault?.passedOver !== true);
  return faults.every((fault) => fault?.passedOver === true) ? faults[0] : first;
}

/** Why a slot cannot be used. */
export interface SlotFault extends Luks2Broken {
  /** Other slots are tried all the same. */
  readonly passedOver?: true;
}

/** Why a slot cannot be used, whatever the passphrase. */
export function slotFault({ copy }: Metadata, slot: Keyslot): SlotFault | undefined {
  const { name, node, keyBytes, kdf, af, area } = slot;
  const place = placeOf(copy, `/keyslots/${name}`, node);
  const broken = (rule: Luks2Rule, message: string): SlotFault => ({
    rule,
    place,
    message: `Key slot ${name}: ${message}`,
  });
  if (keyBytes === 0) return broken("luks2.keyslot.key-size", "its key has no bytes");
  const derivation = kdfFault(kdf);
  if (derivation !== undefined) {
    return broken(`luks2.kdf.${derivation.rule}`, derivation.message);
  }
  const use = { encryption: area.encryption, sectorSize: SECTOR };
  const unusable = whyNoCipher(use, area.keyBytes);
  if (unusable !== undefined) {
    const fault = broken("luks2.area.cipher", unusable);
    return isKnownCipher(use) ? fault : { ...fault, passedOver: true };
  }
  if (canonicalHash(af.hash) !== undefined) return undefined;
  return broken("luks2.af.hash", `the hash ${shown(af.hash)} is not known`);
}

const DIGEST_MIN = 20;
const ITERATIONS_MAX = 2 ** 31 - 1;

/** Why a digest tells nothing of a key. */
export function digestFault({ copy }: Metadata, digest: Digest): SlotFault | undefined {
  const place = placeOf(copy, `/digests/${digest.name}`, digest.node);
  if (digest.type !== "pbkdf2") {
    const message = `The type of digest ${digest.name} is ${JSON.stringify(digest.type)}`;
    return { rule: "luks2.digest.type", place, message };
  }
  const { node, hash, iterations } = digest;
  const digestSize = hashTable[canonicalHash(hash) ?? ""]?.digestSize;
  const lengths = (["salt", "digest"] as const).map((field) => {
    const stored = member(node, field);
    return stored?.kind === "string" ? digest[field]?.length : 0;
  });
  const [salt = 0, sum = 0] = lengths;
  const missing = ["hash", "iterations", "salt"].some((field) => member(node, field) === undefined);
  if (missing || lengths.includes(undefined)) {
    const message = `Digest ${digest.name} lacks a value, or has one that is no base64`;
    return { rule: "luks2.digest.values", place, message };
  }
  if (salt !== SALT_BYTES || sum !== DIGEST_MIN && (sum !== digestSize || sum < DIGEST_MIN)) {
    const message = `Digest ${digest.name} has ${salt} bytes of salt and ${sum} of digest`;
    return { rule: "luks2.digest.lengths", place, message };
  }
  if (digestSize !== undefined && iterations >= 1 && iterations <= ITERATIONS_MAX) return undefined;
  const message = `Digest ${digest.name} has ${iterations} iterations of ${shown(hash)}`;
  return { rule: "luks2.digest.values", place, message };
}

/**
 * The key that a slot gives for a passphrase: the one of the volume where the passphrase is right, and
 * other bytes where it is not.
 *
 * @param slot without a {@link slotFault}
 */
export function keyOf(
  slot: Keyslot,
  { keyMaterial, passphrase }: Pick<UnlockOptions, "keyMaterial" | "passphrase">,
): Uint8Array {
  const { kdf, area, af, keyBytes } = slot;
  const key = deriveKey(kdf, passphrase, area.keyBytes);
  const material = new Uint8Array(materialBytes(keyBytes));
  // The area starts in a file, as its rule says: the number is exact.
  const start = Math.floor(Number(area.offset) / SECTOR) * SECTOR;
  keyMaterial.readInto(start, material);
  cipherOf({ encryption: area.encryption, sectorSize: SECTOR }, key).decrypt(material, 0n);
  return afMerge(material.subarray(0, keyBytes * STRIPES), keyBytes, STRIPES, af.hash);
}

/**
 * Whether a key is the one that has a digest.
 *
 * @param digest without a {@link digestFault}
 */
export function isVolumeKey(digest: Digest, key: Uint8Array): boolean {
  const { hash, iterations, salt, digest: stored } = digest;
  if (salt === undefined || stored === undefined) return false;
  const computed = pbkdf2(hash, key, salt, iterations, stored.length);
  return computed.every((byte, at) => byte === stored[at]);
}
