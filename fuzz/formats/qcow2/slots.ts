import { MemorySource } from "../../../src/bytes/mod.ts";
import { EditError } from "../../../src/format/mod.ts";
import { qcow2Format } from "../../../src/qcow2/mod.ts";
import type { KeySlots } from "../key_slots.ts";
import { luks1Slots } from "../luks1/slots.ts";

/** Changes of key slots between other changes of an image that is encrypted with LUKS. */
export const qcow2Slots: KeySlots = {
  isIn: (file) => typeof qcow2Format.keys?.area?.(file) === "object",
  add: (file, passphrases) => within(file, (header) => luks1Slots.add(header, passphrases)),
  erase: (file, passphrase) => within(file, (header) => luks1Slots.erase(header, passphrase)),
};

/** An image with another LUKS header. */
function within(file: Uint8Array, change: (header: Uint8Array) => Uint8Array): Uint8Array {
  const area = qcow2Format.keys?.area?.(new MemorySource(file));
  if (typeof area !== "object") throw new EditError(area ?? "no LUKS header");
  const { offset, length } = area;
  const changed = file.slice();
  changed.set(change(file.slice(offset, offset + length)), offset);
  return changed;
}
