import { utf8 } from "../../../src/bytes/mod.ts";
import { EditError, seededBytes } from "../../../src/format/mod.ts";
import { addKey, eraseKey, Luks1Error } from "../../../src/luks1/mod.ts";
import { keptKeys } from "../kept_keys.ts";
import type { KeySlots } from "../key_slots.ts";

const ITERATIONS = 4;

/** Changes of key slots between other changes of a volume. */
export const luks1Slots: KeySlots = {
  isIn: () => true,
  add: (file, { old, added }) =>
    edited(() => {
      const passphrases = { passphrase: utf8(old), newPassphrase: utf8(added) };
      return addKey(file, { ...changing(), ...passphrases, iterations: ITERATIONS }).header;
    }),
  erase: (file, passphrase) =>
    edited(() => eraseKey(file, { ...changing(), passphrase: utf8(passphrase) }).header),
};

function changing() {
  return { random: seededBytes(1), keptKeys };
}

function edited(change: () => Uint8Array): Uint8Array {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof Luks1Error)) throw error;
    throw new EditError(error.message);
  }
}
