import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import { hasDigest, type KeptKeys, keyOfMaterial, pbkdf2 } from "../../crypto/mod.ts";
import type { KeySlotOptions, UnlockedSlot, WorkBudget } from "../../format/mod.ts";
import { decodeLuks1, type KeySlot, type Luks1Header, specOf } from "../decode.ts";
import { inSlot, type Luks1Broken } from "../findings.ts";
import { slotStates } from "../structures.ts";
import { damagedSlots } from "../judge/material.ts";
import { Luks1Volume, whyUnusable } from "../volume.ts";
import { isTried, ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "./iterations.ts";

/** Options for a passphrase attempt. */
export interface UnlockOptions {
  /** The file or region that starts with the header, which key_material_offset is relative to. */
  readonly keyMaterial: ByteSource;
  /** The passphrase. */
  readonly passphrase: Uint8Array;
  /** The only slot that is attempted; all slots by default. */
  readonly slot?: number;
  /**
   * Length in bytes of the region that must contain the key material, if there is one. The search ends
   * at a slot that reaches past it, as in QEMU for a region inside qcow2.
   */
  readonly regionBytes?: number;
  /** The maximum work in iterations with SHA-256; {@link ITERATIONS_BUDGET} by default. */
  readonly iterationsMax?: number;
  /** The remaining work, if it is shared. */
  readonly budget?: WorkBudget | undefined;
  /** Keys of slots that were opened before. */
  readonly keptKeys?: KeptKeys | undefined;
}

/** The key of a volume, and the slot that it came from. */
export interface Unlocked {
  /** Number of the key slot, 0 to 7. */
  readonly slot: number;
  /** The master key. */
  readonly masterKey: Uint8Array;
}

/**
 * Opens the first key slot that matches the passphrase. Before each attempt, the iterations of the slot
 * are compared with the remaining budget. Slots without exactly 4000 stripes are not attempted.
 *
 * @param header with a cipher for which `isUsable` is true
 * @returns the key, or the rule that is broken: `luks.key.unlock`, `luks.work.iterations-budget` or
 * `luks.slot.material-inside-file`
 *
 * @see LUKS1 On-Disk Format 1.2.3, 4.3 Master key recovery
 */
export function unlock(header: Luks1Header, options: UnlockOptions): Unlocked | Luks1Broken {
  const { slot, iterationsMax = ITERATIONS_BUDGET } = options;
  const budget = options.budget ?? { left: iterationsMax };
  for (const [index, candidate] of header.slots.entries()) {
    if (slot !== undefined && slot !== index || !isTried(candidate)) continue;
    const outside = outsideRegion(header, index, options);
    if (outside !== undefined) return outside;
    const cost = iterationsOf(header, index);
    const possible = Math.max(candidate.iterations, header.mk_digest_iter) <= ITERATIONS_MAX;
    if (!possible || cost > budget.left) return overBudget(index, iterationsMax);
    budget.left -= cost;
    const masterKey = masterKeyOf(header, candidate, options);
    if (isMasterKey(header, masterKey)) return { slot: index, masterKey };
  }
  const place = { path: slot === undefined ? "/key_slots" : `/key_slots/${slot}` };
  const message = "The passphrase opens no key slot";
  return { rule: "luks.key.unlock", place, message };
}

/** The slot that a passphrase opens, of any header. */
export function unlockSlot(
  keyMaterial: ByteSource,
  passphrase: Uint8Array,
  options: KeySlotOptions = {},
): UnlockedSlot {
  const header = decodeLuks1(keyMaterial);
  const message = whyUnusable(specOf(header));
  if (message !== undefined) return { message, isWrong: false };
  const { slot } = options;
  if (slot !== undefined && header.slots[slot]?.active !== slotStates.enabled) {
    return { message: `Key slot ${slot} is not in use`, isWrong: false };
  }
  const found = unlock(header, { ...options, keyMaterial, passphrase });
  if ("slot" in found) return found;
  const damaged = damagedSlots(header, { keyMaterial, base: options.base ?? 0, only: slot });
  return {
    message: found.message,
    isWrong: found.rule === "luks.key.unlock",
    damaged: [
      ...header.slots.flatMap((_, index) => outsideFile(header, index, keyMaterial) ?? []),
      ...damaged.map(({ message }) => message),
    ],
  };
}

/** Whether the key material of an enabled slot is past the end of the file, in words. */
function outsideFile(
  header: Luks1Header,
  index: number,
  { size }: ByteSource,
): string[] | undefined {
  if (header.slots[index]?.active !== slotStates.enabled) return undefined;
  const outside = outsideRegion(header, index, { regionBytes: size });
  return outside && [outside.message.replace("its region", "the file")];
}

function overBudget(slot: number, budget: number): Luks1Broken {
  const place = inSlot(slot, "iterations");
  const message =
    `Attempting the key slots up to slot ${slot} requires more iterations than the budget of ${budget}`;
  return { rule: "luks.work.iterations-budget", place, message };
}

function outsideRegion(
  header: Luks1Header,
  index: number,
  { regionBytes = Infinity }: Pick<UnlockOptions, "regionBytes">,
): Luks1Broken | undefined {
  const { key_material_offset, stripes } = header.slots[index] as KeySlot;
  const end = key_material_offset * SECTOR + header.key_bytes * stripes;
  if (end <= regionBytes) return undefined;
  const message =
    `The key material of slot ${index} ends at byte ${end}, after the end of its region at byte ${regionBytes}`;
  const place = inSlot(index, "key_material_offset");
  return { rule: "luks.slot.material-inside-file", place, message };
}

/**
 * The key that a passphrase decrypts from a slot: the master key if the passphrase is correct, and
 * other bytes otherwise.
 *
 * @param slot an enabled slot with 4000 stripes and at least one iteration
 */
export function masterKeyOf(
  header: Luks1Header,
  slot: KeySlot,
  { keyMaterial, passphrase, keptKeys }: Pick<
    UnlockOptions,
    "keyMaterial" | "passphrase" | "keptKeys"
  >,
): Uint8Array {
  const spec = specOf(header);
  const { key_bytes } = header;
  const { stripes, iterations, salt } = slot;
  const facts = [...Object.entries(spec).flat(), key_bytes, stripes, iterations];
  return keyOfMaterial(key_bytes, {
    stripes,
    hash: spec.hash,
    cipher: () => {
      const volume = new Luks1Volume(
        spec,
        pbkdf2(spec.hash, passphrase, salt, iterations, key_bytes),
      );
      return { decrypt: (sectors, first) => volume.decryptSectors(sectors, first) };
    },
    kept: keptKeys && { keys: keptKeys, from: { facts, salt, passphrase } },
    read: (target) => keyMaterial.readInto(slot.key_material_offset * SECTOR, target),
  });
}

/**
 * Whether a key is the master key of the volume, according to mk_digest.
 *
 * @param header with at most 2^31 - 1 iterations of the digest
 */
export function isMasterKey(header: Luks1Header, key: Uint8Array): boolean {
  const { mk_digest: digest, mk_digest_salt: salt, mk_digest_iter: iterations } = header;
  return iterations > 0 && hasDigest(key, { hash: specOf(header).hash, salt, iterations, digest });
}
