import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import { hasDigest, keyOfMaterial, pbkdf2 } from "../../crypto/mod.ts";
import type { WorkBudget } from "../../format/mod.ts";
import { type KeySlot, type Luks1Header, specOf } from "../decode.ts";
import { inSlot, type Luks1Broken } from "../findings.ts";
import { Luks1Volume } from "../volume.ts";
import { isTried, ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "./iterations.ts";

/** What a passphrase is tried with. */
export interface UnlockOptions {
  /** What key_material_offset counts from: the file or region that starts with the header. */
  readonly keyMaterial: ByteSource;
  /** The passphrase. */
  readonly passphrase: Uint8Array;
  /** The only slot that is tried; all of them where it is absent. */
  readonly slot?: number;
  /**
   * Length in bytes of the region that key material has to be in, where there is one. A slot that
   * reaches past it ends the search, as it does in QEMU for a region inside qcow2.
   */
  readonly regionBytes?: number;
  /** Work that is done at most, in iterations with SHA-256, {@link ITERATIONS_BUDGET} by default. */
  readonly iterationsMax?: number;
  /** What is left of that, where it is for more than this. */
  readonly budget?: WorkBudget | undefined;
}

/** The key of a volume, and the slot that it came from. */
export interface Unlocked {
  /** Number of the key slot, 0 to 7. */
  readonly slot: number;
  /** The master key. */
  readonly masterKey: Uint8Array;
}

/**
 * Opens the first key slot that the passphrase fits. Before a slot is tried, the iterations that it
 * takes are compared with what is left of the budget; slots with other than 4000 stripes are not tried.
 *
 * @param header whose cipher `isUsable` takes
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

function overBudget(slot: number, budget: number): Luks1Broken {
  const place = inSlot(slot, "iterations");
  const message =
    `Trying the key slots up to slot ${slot} takes more iterations than the budget of ${budget}`;
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
    `The key material of slot ${index} ends at byte ${end}, and its region at ${regionBytes}`;
  const place = inSlot(index, "key_material_offset");
  return { rule: "luks.slot.material-inside-file", place, message };
}

/**
 * The key that a slot gives for a passphrase: the master key where the passphrase is right, and other
 * bytes where it is not.
 *
 * @param slot an enabled slot with 4000 stripes and at least one iteration
 */
export function masterKeyOf(
  header: Luks1Header,
  slot: KeySlot,
  { keyMaterial, passphrase }: Pick<UnlockOptions, "keyMaterial" | "passphrase">,
): Uint8Array {
  const spec = specOf(header);
  const { key_bytes } = header;
  const key = pbkdf2(spec.hash, passphrase, slot.salt, slot.iterations, key_bytes);
  const volume = new Luks1Volume(spec, key);
  return keyOfMaterial(key_bytes, {
    stripes: slot.stripes,
    hash: spec.hash,
    cipher: { decrypt: (sectors, first) => volume.decryptSectors(sectors, first) },
    read: (target) => keyMaterial.readInto(slot.key_material_offset * SECTOR, target),
  });
}

/**
 * Whether a key is that of the volume: whether its digest is mk_digest.
 *
 * @param header with at most 2^31 - 1 iterations of the digest
 */
export function isMasterKey(header: Luks1Header, key: Uint8Array): boolean {
  const { mk_digest: digest, mk_digest_salt: salt, mk_digest_iter: iterations } = header;
  return iterations > 0 && hasDigest(key, { hash: specOf(header).hash, salt, iterations, digest });
}
