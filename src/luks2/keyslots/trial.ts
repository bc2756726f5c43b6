import { digestFault, type SlotFault, slotFault } from "../faults.ts";
import { type Digest, digestsOf, type Keyslot, keyslotsOf } from "./keyslots.ts";
import type { Metadata } from "../metadata.ts";
import { type Reencryption, reencryptionOf } from "../reencryption/reencryption.ts";
import { type Luks2Broken, placeOf } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { defaultSegment } from "../segments/segments.ts";
import { ARGON2_MEMORY_MAX, digestWork, KEY_BYTES_MAX, workOf } from "./budget.ts";

/** The key slots that are tried for a key, in this order, and the digest that the key has. */
export interface Tried {
  readonly slots: readonly Keyslot[];
  readonly digest: Digest;
}

/** What is to be tried. */
export interface TryOptions {
  /** The only slot that is tried, whatever its priority. */
  readonly slot?: number;
}

/**
 * What opening a volume takes: the key of its segment; during an online reencryption the key of the
 * data as it was, and then that of what it becomes, where there are two. For each of them cryptsetup
 * tries the slots with priority 2, and then those with priority 1.
 *
 * @returns nothing where there is no key to be found; of a key that no slot has, no slots
 * @see cryptsetup lib/luks2/luks2_keyslot.c, LUKS2_keyslot_open, LUKS2_keyslot_open_all_segments
 */
export function triesOf({ root }: Metadata, { slot: only }: TryOptions = {}): Tried[] {
  const digests = digestsOf(root);
  // The first digest that names a slot is the one of its key.
  const owners = new Map<string, string>();
  for (const { name, keyslots } of digests) {
    for (const slot of keyslots) if (!owners.has(slot)) owners.set(slot, name);
  }
  const reencryption = reencryptionOf(root);
  const segment = defaultSegment(root)?.name ?? "";
  const wanted = reencryption === undefined
    ? [digests.find(({ segments }) => segments.includes(segment))]
    : [reencryption.previous.digest, reencryption.final.digest];
  const byName = new Map(wanted.filter((it) => it !== undefined).map((it) => [it.name, it]));
  const slots = keyslotsOf(root).filter(({ type }) => type === "luks2");
  return [...byName.values()].map((digest) => {
    const fitting = slots.filter(({ number }) => owners.get(String(number)) === digest.name);
    return {
      digest,
      slots: only === undefined
        ? [2, 1].flatMap((wanted) => fitting.filter(({ priority }) => priority === wanted))
        : fitting.filter(({ number }) => number === only),
    };
  });
}

/**
 * What no passphrase changes: whether there is a key slot to be tried, and whether memory and keys stay
 * within their bounds.
 */
export function whyNotTried(
  metadata: Metadata,
  tries: readonly Tried[],
): Luks2Broken | undefined {
  const broken = (rule: Luks2Rule, message: string, name?: string): Luks2Broken => {
    const path = name === undefined ? "/keyslots" : `/keyslots/${name}`;
    return { rule, place: placeOf(metadata.copy, path), message };
  };
  if (tries.length === 0 || tries.some(({ slots }) => slots.length === 0)) {
    return broken("luks2.keyslot.any", "No key slot is tried: no passphrase opens the volume");
  }
  for (const { name, keyBytes, kdf } of tries.flatMap(({ slots }) => slots)) {
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
  tries: readonly Tried[],
  { iterationsMax }: { iterationsMax: number },
): Luks2Broken | undefined {
  const keys = tries.reduce((sum, { slots, digest }) => sum + workOf(slots, digest), 0);
  const work = keys + protectionWork(reencryptionOf(metadata.root));
  return work <= iterationsMax ? undefined : overBudget(metadata, work, iterationsMax);
}

/** Work that holding a reencryption against its digest takes. */
export function protectionWork(reencryption: Reencryption | undefined): number {
  return reencryption?.digest === undefined ? 0 : digestWork(reencryption.digest);
}

/** What is said where the work is more than there is a budget for. */
export function overBudget({ copy }: Metadata, work: number, budget: number): Luks2Broken {
  const message = `The key slots take work of ${work}, more than the budget of ${budget}`;
  return { rule: "luks2.work.budget", place: placeOf(copy, "/keyslots"), message };
}

/** What every passphrase stumbles over, before it has opened a slot for every key. */
export function firstFault(
  metadata: Metadata,
  tries: readonly Tried[],
  file: { headerBytes: number },
): SlotFault | undefined {
  for (const { slots, digest } of tries) {
    const faults = slots.map((slot) =>
      slotFault(metadata, slot, file) ?? digestFault(metadata, digest)
    );
    const first = faults.find((fault) => fault?.passedOver !== true);
    const found = faults.every((fault) => fault?.passedOver === true) ? faults[0] : first;
    if (found !== undefined) return found;
  }
  return protectionFault(metadata);
}

/** Why nothing tells whether the reencryption that is going on is the one that was begun. */
export function protectionFault(metadata: Metadata): SlotFault | undefined {
  const reencryption = reencryptionOf(metadata.root);
  if (reencryption === undefined) return undefined;
  const { digest, slot } = reencryption;
  if (digest !== undefined) return digestFault(metadata, digest);
  const message = `Key slot ${slot.name} of the reencryption has no digest`;
  const place = placeOf(metadata.copy, `/keyslots/${slot.name}`, slot.node);
  return { rule: "luks2.reencryption.digest", place, message };
}
