import { MemorySource, SECTOR } from "../../bytes/mod.ts";
import { decodeLuks1, type Luks1Header, specOf } from "../decode.ts";
import { Luks1Error } from "../error.ts";
import { materialSectors } from "../geometry.ts";
import { isEnabled, judgeSlots } from "../judge/slots.ts";
import { type RandomBytes, slotAt, wipeSlot, writeKey } from "./slot.ts";
import { unlock, type Unlocked, type UnlockOptions } from "./unlock.ts";
import { whyUnusable } from "../volume.ts";

/** Header and key material after a change, and the slot that it was about. */
export interface ChangedKeys {
  /** The header and its key material. */
  readonly header: Uint8Array;
  /** The slot. */
  readonly slot: number;
  /**
   * Header and key material on the way there, in order, and at last `header`. A slot in use is
   * overwritten while another one holds the new key, where there is one that is free; that holds on a
   * disk where each state has reached it before the next one is written.
   */
  readonly states: readonly Uint8Array[];
}

/** What every change of keys is done with. */
export interface Changing extends Pick<UnlockOptions, "iterationsMax"> {
  /** Makes salts and stripes. */
  readonly random: RandomBytes;
}

/** A key that is added. */
export interface AddKeyOptions extends Changing {
  /** Opens any slot. */
  readonly passphrase: Uint8Array;
  /** The new passphrase. */
  readonly newPassphrase: Uint8Array;
  /** Iterations of PBKDF2 for the new key. */
  readonly iterations: number;
  /** Where it goes: by default into the first slot that is not enabled. */
  readonly slot?: number;
  /** Overwrites an enabled slot, by way of a free one where there is one. */
  readonly force?: boolean;
}

/**
 * Adds a key, as `qemu-img amend` with `state=active` and `cryptsetup luksAddKey` do.
 *
 * @param header header and key material, which stay as they are
 * @throws {Luks1Error} when the passphrase opens no slot, or there is no slot for the new one
 */
export function addKey(header: Uint8Array, options: AddKeyOptions): ChangedKeys {
  const head = changeable(header, "add a key");
  const slot = options.slot ?? freeSlot(head);
  if (slot < 0) throw new Luks1Error("Cannot add a key: all key slots are in use");
  if (isEnabled(slotAt(head.slots, slot)) && options.force !== true) {
    throw new Luks1Error(`Cannot add a key: key slot ${slot} is in use`);
  }
  const { passphrase: old, newPassphrase: passphrase, iterations, random } = options;
  const { masterKey } = opened(header, { ...budgetOf(options), passphrase: old }, "add a key");
  return replaceKey(header, { slot, passphrase, iterations, masterKey, random });
}

/** A key that takes the place of another. */
export interface ChangeKeyOptions extends Omit<AddKeyOptions, "slot" | "force"> {
  /** The slot that the old passphrase has to open, and that takes the new one. */
  readonly slot?: number;
}

/**
 * Changes a passphrase, as `cryptsetup luksChangeKey` does: the new one goes into the first slot that
 * is not enabled, and the slot of the old one is erased. Where a slot is asked for, the new one goes
 * there by way of a free one. Where all slots are in use, the slot of the old one is overwritten: a
 * failure halfway loses both.
 *
 * @param header header and key material, which stay as they are
 * @throws {Luks1Error} when the passphrase opens no slot
 */
export function changeKey(header: Uint8Array, options: ChangeKeyOptions): ChangedKeys {
  const head = changeable(header, "change a key");
  const old = opened(header, options, "change a key");
  const { newPassphrase: passphrase, iterations, random } = options;
  const key = { passphrase, iterations, random, masterKey: old.masterKey };
  const slot = freeSlot(head);
  if (options.slot !== undefined || slot < 0) return replaceKey(header, { ...key, slot: old.slot });
  const changed = writeKey(wipeSlot(header, old.slot, key), { ...key, slot });
  return { header: changed, slot, states: [changed] };
}

/** The first slot without a key; -1 where there is none. */
function freeSlot({ slots }: Luks1Header): number {
  return slots.findIndex((slot) => !isEnabled(slot));
}

/** Puts a key into a slot; where that is in use, a free slot has the key meanwhile. */
function replaceKey(header: Uint8Array, key: Parameters<typeof writeKey>[1]): ChangedKeys {
  const { slot } = key;
  const head = decodeLuks1(new MemorySource(header));
  const free = freeSlot(head);
  if (free < 0 || !isEnabled(slotAt(head.slots, slot))) {
    const written = writeKey(header, key);
    return { header: written, slot, states: [written] };
  }
  const kept = writeKey(header, { ...key, slot: free });
  const erased = wipeSlot(kept, slot, key);
  const written = writeKey(erased, key);
  const last = wipeSlot(written, free, key);
  return { header: last, slot, states: [kept, erased, written, last] };
}

/** Which keys are erased: that of a slot, or those that a passphrase opens, or both in one. */
export interface EraseKeyOptions extends Changing {
  /** The slot. */
  readonly slot?: number;
  /** The passphrase. */
  readonly passphrase?: Uint8Array;
  /** Erases the last key too, and with it the volume. */
  readonly force?: boolean;
}

/**
 * Erases key slots, as `qemu-img amend` with `state=inactive` and `cryptsetup luksKillSlot` do.
 *
 * @param header header and key material, which stay as they are
 * @returns the slots that were erased
 * @throws {Luks1Error} when there is nothing to erase, or no key would be left
 */
export function eraseKey(
  header: Uint8Array,
  options: EraseKeyOptions,
): { readonly header: Uint8Array; readonly slots: readonly number[] } {
  const head = changeable(header, "erase a key");
  const slots = erasedSlots(header, head, options);
  const left = head.slots.filter((slot, index) => isEnabled(slot) && !slots.includes(index));
  if (left.length === 0 && options.force !== true) {
    throw new Luks1Error("Cannot erase a key: no key would be left, and the content would be lost");
  }
  const erased = slots.reduce((bytes, slot) => wipeSlot(bytes, slot, options), header);
  return { header: erased, slots };
}

function erasedSlots(
  header: Uint8Array,
  head: Luks1Header,
  options: EraseKeyOptions,
): readonly number[] {
  const { slot, passphrase } = options;
  if (slot !== undefined) {
    if (!isEnabled(slotAt(head.slots, slot)) && options.force !== true) {
      throw new Luks1Error(`Cannot erase a key: key slot ${slot} is not in use`);
    }
    if (passphrase !== undefined) opened(header, { ...options, passphrase }, "erase a key");
    return [slot];
  }
  if (passphrase === undefined) {
    throw new Luks1Error("Cannot erase a key: neither a slot nor a passphrase is given");
  }
  const keyMaterial = new MemorySource(header);
  const slots = [...head.slots.keys()].filter((index) => {
    const unlocked = unlock(head, { ...options, keyMaterial, passphrase, slot: index });
    if ("masterKey" in unlocked) return true;
    if (unlocked.rule === "luks.key.unlock") return false;
    throw new Luks1Error(`Cannot erase a key: ${lowerFirst(unlocked.message)}`);
  });
  if (slots.length === 0) {
    throw new Luks1Error("Cannot erase a key: the passphrase opens no key slot");
  }
  return slots;
}

function opened(
  header: Uint8Array,
  options: Pick<UnlockOptions, "passphrase" | "slot" | "iterationsMax">,
  action: string,
): Unlocked {
  const keyMaterial = new MemorySource(header);
  const unlocked = unlock(decodeLuks1(keyMaterial), { ...options, keyMaterial });
  if ("masterKey" in unlocked) return unlocked;
  throw new Luks1Error(`Cannot ${action}: ${lowerFirst(unlocked.message)}`);
}

function budgetOf({ iterationsMax }: Changing): Pick<UnlockOptions, "iterationsMax"> {
  return iterationsMax === undefined ? {} : { iterationsMax };
}

/** The header, where its slots can be written to without harm to anything else. */
function changeable(header: Uint8Array, action: string): Luks1Header {
  const head = decodeLuks1(new MemorySource(header));
  const reason = whyUnusable(specOf(head));
  if (reason !== undefined) throw new Luks1Error(reason);
  judgeSlots(head, (_, __, message) => {
    throw new Luks1Error(`Cannot ${action}: ${lowerFirst(message())}`);
  }, { detached: head.payload_offset === 0 });
  const end = Math.max(...head.slots.map((slot) => slot.key_material_offset)) +
    materialSectors(head.key_bytes);
  if (end * SECTOR > header.length) {
    throw new Luks1Error(
      `Cannot ${action}: the key material ends at byte ${end * SECTOR}, and only ` +
        `${header.length} bytes are there`,
    );
  }
  return head;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
