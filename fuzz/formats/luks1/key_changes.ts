import * as fc from "fast-check";
import { Buffer } from "node:buffer";
import { type ByteSource, MemorySource, SECTOR, utf8 } from "../../../src/bytes/mod.ts";
import { patternBytes } from "../../../src/format/mod.ts";
import {
  addKey,
  changeKey,
  decodeLuks1,
  eraseKey,
  header as headerStruct,
  keySlot,
  Luks1Error,
  type Luks1Model,
  type RandomBytes,
  slotStates,
  unlock,
} from "../../../src/luks1/mod.ts";
import { Failure } from "../../engine/mod.ts";
import { PASSPHRASES, picks, strangePassphrase } from "../../generate/mod.ts";
import { keptKeys } from "../kept_keys.ts";

/** A change to the keys of a volume. */
export interface KeyChange {
  readonly act: "add" | "change" | "erase" | "erase-slot";
  /** Which of the keys in use is changed: the n-th, modulo their number. */
  readonly which: number;
  /** The new passphrase. */
  readonly passphrase: string;
  readonly iterations: number;
}

/** Passphrases by the slots that they open. */
export type Keys = ReadonlyMap<number, string>;

/** A header with its key material, and the keys that should open it. */
export interface Keyed {
  readonly header: Uint8Array;
  readonly keys: Keys;
}

const SLOTS = 8;
const ITERATIONS_MAX = 20;

/** Changes one after the other. */
export function keyChangeLists(): fc.Arbitrary<KeyChange[]> {
  const change = fc.record<KeyChange>({
    act: fc.constantFrom("add", "change", "erase", "erase-slot"),
    which: fc.nat(SLOTS - 1),
    passphrase: picks(PASSPHRASES),
    iterations: fc.integer({ min: 1, max: ITERATIONS_MAX }),
  });
  return fc.array(change, { minLength: 1, maxLength: 2 });
}

/** A change in words. */
export function describeChange({ act, which, passphrase }: KeyChange): string {
  const key = `the key ${which} in use`;
  if (act === "add") return `a key is added for ${JSON.stringify(passphrase)}`;
  if (act === "change") return `${key} is changed to ${JSON.stringify(passphrase)}`;
  return act === "erase" ? `all slots of ${key} are erased` : `the slot of ${key} is erased`;
}

/** The keys of a volume according to its model. */
export function keysOf({ keys }: Luks1Model): Keys {
  return new Map(keys.map(({ slot, passphrase }) => [slot, passphrase]));
}

/**
 * Makes a change, and derives the expected result from the keys alone.
 *
 * @throws {Failure} if a change is made that must not be, or a possible change is rejected
 */
export function changed(before: Keyed, change: KeyChange): Keyed {
  const expected = expectedKeys(before.keys, change);
  try {
    const header = made(before, change);
    if (expected !== undefined) return { header, keys: expected };
  } catch (error) {
    if (expected === undefined && error instanceof Luks1Error) return before;
    throw error;
  }
  throw new Failure(`luks.change.made.${change.act}`, "The last key was removed");
}

function made({ header, keys }: Keyed, change: KeyChange): Uint8Array {
  const { act, iterations } = change;
  const [slot, current] = chosen(keys, change);
  const passphrase = utf8(current);
  const newPassphrase = utf8(change.passphrase);
  const changing = { random: seededBytes(change), keptKeys };
  const options = { passphrase, newPassphrase, iterations, ...changing };
  if (act === "add") return addKey(header, options).header;
  if (act === "change") return changeKey(header, options).header;
  return eraseKey(header, { ...changing, ...act === "erase" ? { passphrase } : { slot } }).header;
}

/** The keys after a change; `undefined` if it cannot be made. */
function expectedKeys(keys: Keys, change: KeyChange): Keys | undefined {
  const [slot, passphrase] = chosen(keys, change);
  const free = Array.from({ length: SLOTS }, (_, at) => at).find((at) => !keys.has(at));
  const after = new Map(keys);
  if (change.act === "add") {
    if (free === undefined) return undefined;
    return after.set(free, change.passphrase);
  }
  // Of slots with one passphrase the first one is opened.
  const [opened = slot] = [...keys].filter(([, other]) => other === passphrase).map(([at]) => at)
    .sort((a, b) => a - b);
  if (change.act === "change") {
    after.delete(opened);
    return after.set(free ?? opened, change.passphrase);
  }
  for (const [at, other] of keys) {
    if (change.act === "erase" ? other === passphrase : at === slot) after.delete(at);
  }
  return after.size === 0 ? undefined : after;
}

/** The key that is changed. */
function chosen(keys: Keys, { which }: KeyChange): readonly [number, string] {
  const inOrder = [...keys].sort(([a], [b]) => a - b);
  return inOrder[which % inOrder.length] as [number, string];
}

/** Random bytes of a few seeds: the stripes of these are added up once. */
function seededBytes({ which, iterations }: KeyChange): RandomBytes {
  const seed = 8 * (which % 4) + iterations % 8;
  let at = 0;
  return (length) => {
    const bytes = patternBytes({ kind: "noise", seed }, length, at);
    at += length;
    return bytes;
  };
}

/**
 * Compares key slots with the keys: each opens with its own passphrase, those without a key are
 * disabled, and a passphrase of no key opens none.
 *
 * @throws {Failure} if a slot opens that must not, or a slot that must open does not
 */
export function assertKeys(keyed: Keyed): void {
  for (let slot = 0; slot < SLOTS; slot++) assertKey(keyed, slot);
  const keyMaterial = new MemorySource(keyed.header);
  assertOrder(keyed, keyMaterial);
  const strange = strangePassphrase([...keyed.keys.values()]);
  const found = unlock(decodeLuks1(keyMaterial), {
    keyMaterial,
    passphrase: utf8(strange),
    keptKeys,
  });
  if (!("masterKey" in found)) return;
  throw new Failure(
    "luks.slot",
    `Key slot ${found.slot} opens with a passphrase that belongs to no key`,
  );
}

/** Of slots with one passphrase the first one is opened. */
function assertOrder({ keys }: Keyed, keyMaterial: ByteSource): void {
  const header = decodeLuks1(keyMaterial);
  for (const [passphrase, slots] of Map.groupBy([...keys.keys()], (slot) => keys.get(slot))) {
    if (passphrase === undefined || slots.length === 1) continue;
    const first = Math.min(...slots);
    // The slots before it have other passphrases, and attempting them takes time.
    const rest = header.slots.map((slot, index) =>
      index < first ? { ...slot, active: slotStates.disabled } : slot
    );
    const options = { keyMaterial, passphrase: utf8(passphrase), keptKeys };
    const found = unlock({ ...header, slots: rest }, options);
    if ("masterKey" in found && found.slot === first) continue;
    const opened = "masterKey" in found ? found.slot : "none";
    throw new Failure("luks.slot.order", `Key slot ${opened} opens, not ${first}`);
  }
}

/** @returns the master key out of the slot, where it has one */
function assertKey({ header, keys }: Keyed, slot: number): Uint8Array | undefined {
  const keyMaterial = new MemorySource(header);
  const decoded = decodeLuks1(keyMaterial);
  const passphrase = keys.get(slot);
  if (passphrase === undefined) {
    if (decoded.slots[slot]?.active === slotStates.disabled) return undefined;
    throw new Failure("luks.slot", `Key slot ${slot} is enabled, but has no key`);
  }
  const found = unlock(decoded, { keyMaterial, passphrase: utf8(passphrase), slot, keptKeys });
  if ("masterKey" in found) return found.masterKey;
  throw new Failure("luks.slot", `Key slot ${slot} does not open: ${found.message}`);
}

/**
 * Compares what a change has made of keys with those that were there before, which were compared with
 * their slots already. Whether a slot opens follows from the header, from the slot and from its key
 * material: if no byte of these has changed, no passphrase is tried again.
 *
 * @returns the master key of each slot that has changed
 * @throws {Failure} if a slot opens that must not, or a slot that must open does not; if the header has
 * changed, or an erased slot has kept some of its key material
 */
export function assertChanged(before: Keyed, after: Keyed): Uint8Array[] {
  if (!sameBytes(before.header, after.header, { start: 0, length: headerStruct.size })) {
    throw new Failure("luks.change.header", "The header has changed");
  }
  const { slots, key_bytes } = decodeLuks1(new MemorySource(before.header));
  const masterKeys = slots.map(({ key_material_offset, stripes }, slot) => {
    const entry = { start: headerStruct.size + slot * keySlot.size, length: keySlot.size };
    const material = { start: key_material_offset * SECTOR, length: key_bytes * stripes };
    const erased = before.keys.has(slot) && !after.keys.has(slot);
    if (erased && keepsSector(before.header, after.header, material)) {
      throw new Failure(
        "luks.change.erased",
        `The key material of slot ${slot} is not completely erased`,
      );
    }
    const same = [entry, material].every((range) => sameBytes(before.header, after.header, range));
    if (!same) return assertKey(after, slot);
    if (before.keys.get(slot) === after.keys.get(slot)) return undefined;
    throw new Failure("luks.change.slot", `Key slot ${slot} has not changed`);
  });
  return masterKeys.filter((key) => key !== undefined);
}

interface Range {
  readonly start: number;
  readonly length: number;
}

function sameBytes(left: Uint8Array, right: Uint8Array, { start, length }: Range): boolean {
  const end = start + length;
  return Buffer.compare(left.subarray(start, end), right.subarray(start, end)) === 0;
}

/** Whether a sector of a range has not changed. */
function keepsSector(left: Uint8Array, right: Uint8Array, { start, length }: Range): boolean {
  for (let at = start; at < start + length; at += SECTOR) {
    const sector = { start: at, length: Math.min(SECTOR, start + length - at) };
    if (sameBytes(left, right, sector)) return true;
  }
  return false;
}
