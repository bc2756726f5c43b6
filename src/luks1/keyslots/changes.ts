import { MemorySource, SECTOR } from "../../bytes/mod.ts";
import { decodeLuks1, type Luks1Header, specOf } from "../decode.ts";
import { Luks1Error } from "../error.ts";
import { materialSectors } from "../geometry.ts";
import { isEnabled, judgeSlots } from "../judge/slots.ts";
import { type RandomBytes, slotAt, wipeSlot, writeKey } from "./slot.ts";
import { unlock, type Unlocked, type UnlockOptions } from "./unlock.ts";
import { whyUnusable } from "../volume.ts";

/** Header and key material after a change, and the changed slot. */
export interface ChangedKeys {
  /** The header and its key material. */
  readonly header: Uint8Array;
  /** The slot. */
  readonly slot: number;
  /**
   * The intermediate states of header and key material, in order, and finally `header`. If a slot is
   * free, it contains the new key while a slot in use is overwritten. This protects the key on a disk
   * only if each state is flushed before the next one is written.
   */
  readonly states: readonly Uint8Array[];
}

/** What every change of keys is done with. */
export interface Changing extends Pick<UnlockOptions, "iterationsMax" | "keptKeys"> {
  /** Makes salts and stripes. */
  readonly random: RandomBytes;
}

/** A key that is added. */
export interface AddKeyOptions extends Changing {
  /** Opens any slot. */
  readonly passphrase: Uint8Array;
  /** The new passphrase. */
  readonly newPassphrase: Uint8Array;
  /** PBKDF2 iterations for the new key. */
  readonly iterations: number;
  /** The slot for the new key: by default the first disabled one. */
  readonly slot?: number;
  /** Overwrites an enabled slot. If a slot is free, it is used temporarily. */
  readonly force?: boolean;
}

/**
 * Adds a key, as `qemu-img amend` with `state=active` and `cryptsetup luksAddKey` do.
 *
 * @param header header and key material, which are not modified
 * @throws {Luks1Error} if the passphrase opens no slot, or there is no slot for the new key
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

/** Options for replacing a key. */
export interface ChangeKeyOptions extends Omit<AddKeyOptions, "slot" | "force"> {
  /** The slot that the old passphrase must open and that gets the new key. */
  readonly slot?: number;
}

/**
 * Changes a passphrase, as `cryptsetup luksChangeKey` does: the new key is written to the first
 * disabled slot, and the old slot is erased. With `slot`, the new key is written to that slot, using a
 * free slot temporarily. If all slots are in use, the old slot is overwritten, and an interruption
 * loses both keys.
 *
 * @param header header and key material, which are not modified
 * @throws {Luks1Error} if the passphrase opens no slot
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

/** The first slot without a key; -1 if there is none. */
function freeSlot({ slots }: Luks1Header): number {
  return slots.findIndex((slot) => !isEnabled(slot));
}

/** Puts a key into a slot. If the slot is in use, a free slot contains the key in the meantime. */
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

/** The keys to erase: that of a slot, those that a passphrase opens, or one that matches both. */
export interface EraseKeyOptions extends Changing {
  /** The slot. */
  readonly slot?: number;
  /** The passphrase. */
  readonly passphrase?: Uint8Array;
  /** Also erases the last key, after which the volume cannot be opened. */
  readonly force?: boolean;
}

/**
 * Erases key slots, as `qemu-img amend` with `state=inactive` and `cryptsetup luksKillSlot` do.
 *
 * @param header header and key material, which are not modified
 * @returns the slots that were erased
 * @throws {Luks1Error} if there is nothing to erase, or no key would remain
 */
export function eraseKey(
  header: Uint8Array,
  options: EraseKeyOptions,
): { readonly header: Uint8Array; readonly slots: readonly number[] } {
  const head = changeable(header, "erase a key");
  const slots = erasedSlots(header, head, options);
  const left = head.slots.filter((slot, index) => isEnabled(slot) && !slots.includes(index));
  if (left.length === 0 && options.force !== true) {
    throw new Luks1Error("Cannot erase a key: no key would remain, and the content would be lost");
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
  options: Pick<UnlockOptions, "passphrase" | "slot" | "iterationsMax" | "keptKeys">,
  action: string,
): Unlocked {
  const keyMaterial = new MemorySource(header);
  const unlocked = unlock(decodeLuks1(keyMaterial), { ...options, keyMaterial });
  if ("masterKey" in unlocked) return unlocked;
  throw new Luks1Error(`Cannot ${action}: ${lowerFirst(unlocked.message)}`);
}

function budgetOf({ iterationsMax, keptKeys }: Changing): Omit<Changing, "random"> {
  return { keptKeys, ...(iterationsMax === undefined ? {} : { iterationsMax }) };
}

/** The header, if its slots can be written without damaging anything else. */
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
      `Cannot ${action}: the key material ends at byte ${end * SECTOR}, but there are only ` +
        `${header.length} bytes`,
    );
  }
  return head;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
