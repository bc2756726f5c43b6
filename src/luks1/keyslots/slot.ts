import { MemorySource, SECTOR } from "../../bytes/mod.ts";
import { keyMaterial, type MaterialKind, pbkdf2 } from "../../crypto/mod.ts";
import { encodeInto } from "../../layout/mod.ts";
import { decodeLuks1, type KeySlot, specOf } from "../decode.ts";
import { Luks1Error } from "../error.ts";
import { header as headerStruct, keySlot, SALT_BYTES, slotStates } from "../structures.ts";
import { Luks1Volume } from "../volume.ts";
import { ITERATIONS_MAX } from "./iterations.ts";

/** Generates the given number of bytes: random ones, or ones derived from a seed. */
export type RandomBytes = (length: number) => Uint8Array;

/** A new key. */
export interface NewKey {
  /** Number of the key slot, 0 to 7. */
  readonly slot: number;
  /** The passphrase. */
  readonly passphrase: Uint8Array;
  /** Iterations of PBKDF2 for this key. */
  readonly iterations: number;
}

/**
 * Writes a key to a slot, overwriting its content.
 *
 * @param bytes header and key material, which are not modified
 * @throws {Luks1Error} if there is no such slot, or the number of iterations is out of range
 *
 * @see LUKS1 On-Disk Format 1.2.3, 4.2 Adding new passwords
 */
export function writeKey(
  bytes: Uint8Array,
  key: NewKey & {
    readonly masterKey: Uint8Array;
    readonly random: RandomBytes;
    readonly material?: MaterialKind | undefined;
  },
): Uint8Array {
  const { slot, passphrase, iterations, masterKey, random } = key;
  checkIterations(iterations);
  const header = decodeLuks1(new MemorySource(bytes));
  const spec = specOf(header);
  const stored = slotAt(header.slots, slot);
  const salt = random(SALT_BYTES);
  const slotKey = pbkdf2(spec.hash, passphrase, salt, iterations, header.key_bytes);
  const volume = new Luks1Volume(spec, slotKey);
  const material = keyMaterial(masterKey, {
    stripes: stored.stripes,
    hash: spec.hash,
    cipher: {
      encrypt: (sectors, first) => volume.encryptSectors(sectors, first),
      decrypt: (sectors, first) => volume.decryptSectors(sectors, first),
    },
    random,
    kind: key.material,
  });
  const filled = { ...stored, active: slotStates.enabled, iterations, salt };
  return withSlot(bytes, { slot, filled, material });
}

/**
 * Erases a slot: overwrites its key material with random bytes, and clears salt and iterations. QEMU
 * overwrites the key material forty times.
 *
 * @see LUKS1 On-Disk Format 1.2.3, 4.4 Password revocation
 */
export function wipeSlot(
  bytes: Uint8Array,
  slot: number,
  { random }: { readonly random: RandomBytes },
): Uint8Array {
  const { slots, key_bytes } = decodeLuks1(new MemorySource(bytes));
  const stored = slotAt(slots, slot);
  const salt = new Uint8Array(SALT_BYTES);
  const filled = { ...stored, active: slotStates.disabled, iterations: 0, salt };
  return withSlot(bytes, { slot, filled, material: random(key_bytes * stored.stripes) });
}

/** @throws {Luks1Error} if the number of PBKDF2 iterations is out of range */
export function checkIterations(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= ITERATIONS_MAX) return;
  throw new Luks1Error(`Cannot use ${count} iterations: they are 1 to ${ITERATIONS_MAX}`);
}

function withSlot(
  bytes: Uint8Array,
  { slot, filled, material }: { slot: number; filled: KeySlot; material: Uint8Array },
): Uint8Array {
  const target = bytes.slice();
  encodeInto(keySlot, filled, { target, at: headerStruct.size + slot * keySlot.size });
  target.set(material, filled.key_material_offset * SECTOR);
  return target;
}

/** @throws {Luks1Error} if there is no such slot */
export function slotAt(slots: readonly KeySlot[], index: number): KeySlot {
  const slot = slots[index];
  if (slot === undefined) {
    throw new Luks1Error(`Cannot find key slot ${index}: there are 8, from 0 on`);
  }
  return slot;
}
