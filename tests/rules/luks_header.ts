/** A LUKS header that no passphrase opens, as far as QEMU looks at it without one. */

const SLOTS = 8;
const SLOT_SECTORS = 256;
const KEY_BYTES = 32;
const STRIPES = 4000;
const ITERATIONS = 1000;
const DISABLED = 0xdead;

const HEADER_SIZE = 592;
const FIRST_SLOT = { offset: 208, size: 48 };

/** 592 bytes: AES-256 in CBC mode, eight key slots that are not in use. */
export const luksHeader: Uint8Array = (() => {
  const header = new Uint8Array(HEADER_SIZE);
  const view = new DataView(header.buffer);
  header.set([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe, 0, 1]);
  const text = new TextEncoder();
  header.set(text.encode("aes"), 8);
  header.set(text.encode("cbc-plain64"), 40);
  header.set(text.encode("sha256"), 72);
  view.setUint32(104, 8 + SLOTS * SLOT_SECTORS);
  view.setUint32(108, KEY_BYTES);
  view.setUint32(164, ITERATIONS);
  header.set(text.encode("2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10"), 168);
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = FIRST_SLOT.offset + slot * FIRST_SLOT.size;
    view.setUint32(at, DISABLED);
    view.setUint32(at + 40, 8 + slot * SLOT_SECTORS);
    view.setUint32(at + 44, STRIPES);
  }
  return header;
})();
