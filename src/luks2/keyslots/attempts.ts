import type { Metadata } from "../metadata.ts";
import { brokenAt, type Luks2Broken } from "../findings.ts";
import type { Digest, Keyslot } from "../json/description.ts";
import { defaultSegment, digestsOfKeyslots, digestsOfSegments } from "../segments/segments.ts";
import { ARGON2_MEMORY_MAX, digestWork, KEY_BYTES_MAX, workOf } from "./budget.ts";
import { digestFault, type SlotFault, slotFault } from "./usable.ts";

/** The key slots that are attempted for a key, in this order, and the digest that the key has. */
export interface Attempts {
  readonly slots: readonly Keyslot[];
  readonly digest: Digest;
}

/**
 * The keys that opening a volume requires: the key of its segment or, during an online reencryption,
 * the old key and then the new key, if there are two. For each of them, cryptsetup attempts the slots
 * with priority 2, and then those with priority 1. If a slot is named, its key is the only one.
 *
 * @param only the number of the only slot that is attempted, whatever its priority, and whether or not
 * a segment has its key
 * @returns an empty array if no key is required, or if the named slot has none; an empty list of slots
 * for a key without slots
 * @see cryptsetup lib/luks2/luks2_keyslot.c, LUKS2_keyslot_open, LUKS2_keyslot_open_all_segments;
 * src/utils_luks.c, set_activation_flags
 */
export function attemptsOf({ json, reencryption }: Metadata, only?: number): Attempts[] {
  const owners = digestsOfKeyslots(json);
  const slots = json.keyslots.filter(({ type }) => type === "luks2");
  if (only !== undefined) {
    const digest = owners.get(String(only));
    const named = slots.filter(({ number }) => number === only);
    return digest === undefined || named.length === 0 ? [] : [{ digest, slots: named }];
  }
  const wanted = reencryption === undefined
    ? [digestsOfSegments(json).get(defaultSegment(json)?.name ?? "")]
    : [reencryption.previous.digest, reencryption.final.digest];
  return [...new Set(wanted)].filter((digest) => digest !== undefined).map((digest) => {
    const fitting = slots.filter(({ number }) => owners.get(String(number))?.name === digest.name);
    return {
      digest,
      slots: [2, 1].flatMap((wanted) => fitting.filter(({ priority }) => priority === wanted)),
    };
  });
}

/**
 * Judges what does not depend on the passphrase: whether there is a key slot to attempt, and whether
 * memory and key sizes are within their limits.
 */
export function whyNotAttempted(
  metadata: Metadata,
  attempts: readonly Attempts[],
): Luks2Broken | undefined {
  if (attempts.length === 0 || attempts.some(({ slots }) => slots.length === 0)) {
    const message = "There is no key slot to attempt, so no passphrase opens the volume";
    return brokenAt(metadata, "luks2.keyslot.any", "/keyslots", message);
  }
  for (const { name, key_size, kdf } of attempts.flatMap(({ slots }) => slots)) {
    const path = `/keyslots/${name}`;
    if (kdf.type !== "pbkdf2" && kdf.memory > ARGON2_MEMORY_MAX) {
      const message = `Key slot ${name} needs ${kdf.memory} KiB, more than ${ARGON2_MEMORY_MAX}`;
      return brokenAt(metadata, "luks2.work.memory", path, message);
    }
    if (key_size > KEY_BYTES_MAX) {
      const message = `The key in slot ${name} has ${key_size} bytes, more than ${KEY_BYTES_MAX}`;
      return brokenAt(metadata, "luks2.work.key-size", path, message);
    }
  }
  return undefined;
}

/** Whether attempting all key slots may exceed the work budget. */
export function whyOverBudget(
  metadata: Metadata,
  attempts: readonly Attempts[],
  { iterationsMax }: { iterationsMax: number },
): Luks2Broken | undefined {
  const keys = attempts.reduce((sum, { slots, digest }) => sum + workOf(slots, digest), 0);
  const work = keys + protectionWork(metadata);
  return work <= iterationsMax ? undefined : overBudget(metadata, work, iterationsMax);
}

/** The work for comparing a reencryption with its digest. */
export function protectionWork({ reencryption }: Metadata): number {
  return reencryption?.digest === undefined ? 0 : digestWork(reencryption.digest);
}

/** The finding if the work exceeds the budget. */
export function overBudget(metadata: Metadata, work: number, budget: number): Luks2Broken {
  const message = `The key slots require ${work} units of work, more than the budget of ${budget}`;
  return brokenAt(metadata, "luks2.work.budget", "/keyslots", message);
}

/** The reason for which the search ends with every passphrase before all keys are found. */
export function firstFault(
  metadata: Metadata,
  attempts: readonly Attempts[],
  file: { headerBytes: number },
): SlotFault | undefined {
  for (const { slots, digest } of attempts) {
    const faults = slots.map((slot) =>
      slotFault(metadata, slot, file) ?? digestFault(metadata, digest)
    );
    const skipped = faults.every((fault) => fault?.skipped === true);
    const found = skipped ? faults[0] : faults.find((fault) => fault?.skipped !== true);
    if (found !== undefined) return found;
  }
  return protectionFault(metadata);
}

/** Why the reencryption in progress cannot be verified. */
export function protectionFault(metadata: Metadata): SlotFault | undefined {
  const { reencryption } = metadata;
  if (reencryption === undefined) return undefined;
  const { digest, slot } = reencryption;
  if (digest !== undefined) return digestFault(metadata, digest);
  const message = `Key slot ${slot.name} of the reencryption has no digest`;
  return brokenAt(metadata, "luks2.reencryption.digest", `/keyslots/${slot.name}`, message);
}
