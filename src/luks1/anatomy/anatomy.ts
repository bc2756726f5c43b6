import { type ByteSource, SECTOR } from "../../bytes/mod.ts";
import {
  type Anatomy,
  AnatomyCollector,
  type AnatomyOptions,
  structRows,
} from "../../format/mod.ts";
import { decodeLuks1, type KeySlot, type Luks1Header } from "../decode.ts";
import { isEnabled } from "../judge/slots.ts";
import { header as headerStruct, HEADER_BYTES, keySlot, slotStates } from "../structures.ts";

/**
 * The anatomy of a volume: the header and the key slots with their fields, and the use of each part of
 * the file. Works for any input; nothing is judged or decrypted.
 */
export function luks1Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const collector = new AnatomyCollector(options, source);
  const header = decodeLuks1(source);
  const place = { path: "/header", offset: 0, length: headerStruct.size };
  collector.part({ ...place, title: "header", rows: structRows(headerStruct, source, place) });
  collector.claim({ path: "/header", offset: 0, length: HEADER_BYTES, kind: "header" });
  header.slots.forEach((slot, index) => {
    const path = `/key_slots/${index}`;
    const offset = headerStruct.size + index * keySlot.size;
    const rows = structRows(keySlot, source, { path, offset });
    const title = `key slot ${index}, ${stateOf(slot)}`;
    collector.part({ path, title, offset, length: keySlot.size, rows });
    claimMaterial({ header, slot, index }, collector);
  });
  claimPayload(header, source, collector);
  return collector.done();
}

function stateOf(slot: KeySlot): string {
  if (isEnabled(slot)) return "enabled";
  return slot.active === slotStates.disabled ? "disabled" : "neither enabled nor disabled";
}

function claimMaterial(
  { header, slot, index }: { header: Luks1Header; slot: KeySlot; index: number },
  collector: AnatomyCollector,
): void {
  collector.claim({
    path: `/key_slots/${index}/key_material_offset`,
    offset: slot.key_material_offset * SECTOR,
    length: header.key_bytes * slot.stripes,
    kind: "table",
    says: `key material of slot ${index}, ${stateOf(slot)}`,
  });
}

function claimPayload(header: Luks1Header, source: ByteSource, collector: AnatomyCollector): void {
  const offset = header.payload_offset * SECTOR;
  // With offset 0 the payload is in another file.
  if (offset === 0 || offset >= source.size) return;
  const length = source.size - offset;
  collector.claim({ path: "/payload", offset, length, kind: "data", says: "encrypted data" });
}
