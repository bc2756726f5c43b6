import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import {
  addKey,
  changeKey,
  decodeLuks,
  eraseKey,
  LuksError,
  type LuksModel,
  type RandomBytes,
  unlock,
} from "../../src/luks/mod.ts";
import { Failure } from "../engine/target.ts";
import { PASSPHRASES } from "../generate/encryption.ts";
import { picks } from "../generate/values.ts";
import { utf8 } from "./luks_volume.ts";

/** Something that is done to the keys of a volume. */
export interface KeyChange {
  readonly act: "add" | "change" | "erase" | "erase-slot";
  /** Which of the keys in use it is done with: the n-th, counted round. */
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
export function keyChanges(): fc.Arbitrary<KeyChange[]> {
  const change = fc.record<KeyChange>({
    act: fc.constantFrom("add", "change", "erase", "erase-slot"),
    which: fc.nat(SLOTS - 1),
    passphrase: picks(PASSPHRASES),
    iterations: fc.integer({ min: 1, max: ITERATIONS_MAX }),
  });
  return fc.array(change, { maxLength: 2 });
}

/** The keys of a volume as its model has them. */
export function keysOf({ keys }: LuksModel): Keys {
  return new Map(keys.map(({ slot, passphrase }) => [slot, passphrase]));
}

/**
 * Makes a change, and tells from the keys alone what has to come of it.
 *
 * @throws {Failure} when the change is made where it must not be, or is refused where it can be made
 */
export function changed(before: Keyed, change: KeyChange): Keyed {
  const expected = expectedKeys(before.keys, change);
  try {
    const header = made(before, change);
    if (expected !== undefined) return { header, keys: expected };
  } catch (error) {
    if (expected === undefined && error instanceof LuksError) return before;
    throw error;
  }
  throw new Failure("luks.change.made", `${change.act} was done, and no key is left`);
}

function made({ header, keys }: Keyed, change: KeyChange): Uint8Array {
  const { act, iterations } = change;
  const [slot, current] = chosen(keys, change);
  const passphrase = utf8(current);
  const newPassphrase = utf8(change.passphrase);
  const random = seededBytes(change);
  if (act === "add") {
    return addKey(header, { passphrase, newPassphrase, iterations, random }).header;
  }
  if (act === "change") {
    return changeKey(header, { passphrase, newPassphrase, iterations, random }).header;
  }
  return eraseKey(header, act === "erase" ? { passphrase, random } : { slot, random }).header;
}

/** The keys after a change; `undefined` where it cannot be made. */
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

/** The key that a change is about. */
function chosen(keys: Keys, { which }: KeyChange): readonly [number, string] {
  const inOrder = [...keys].sort(([a], [b]) => a - b);
  return inOrder[which % inOrder.length] as [number, string];
}

function seededBytes({ which, iterations }: KeyChange): RandomBytes {
  let at = 0;
  return (length) => {
    const bytes = patternBytes({ kind: "noise", seed: 256 * which + iterations }, length, at);
    at += length;
    return bytes;
  };
}

/**
 * Holds key slots against the keys: each opens with its own passphrase, and those without a key with
 * none of them.
 *
 * @throws {Failure} where a slot opens that must not, or does not where it must
 */
export function assertKeys({ header, keys }: Keyed): void {
  const keyMaterial = new MemorySource(header);
  const decoded = decodeLuks(keyMaterial);
  const first = [...keys.values()][0] ?? "";
  for (let slot = 0; slot < SLOTS; slot++) {
    const passphrase = utf8(keys.get(slot) ?? first);
    const opens = "masterKey" in unlock(decoded, { keyMaterial, passphrase, slot });
    if (opens === keys.has(slot)) continue;
    throw new Failure("luks.slot", `Key slot ${slot} ${opens ? "opens" : "does not open"}`);
  }
}
