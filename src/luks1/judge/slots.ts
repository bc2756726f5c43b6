import { SECTOR } from "../../bytes/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import type { KeySlot, Luks1Header } from "../decode.ts";
import { materialSectors, slotSectors } from "../geometry.ts";
import { type AddFinding, inSlot, must } from "../findings.ts";
import { HEADER_BYTES, keySlot, slotStates } from "../structures.ts";

/** QEMU's sums of sectors are modulo this. */
const SECTORS_MAX = 2 ** 32;

/** Data for judging a slot. */
interface SlotContext {
  readonly slot: KeySlot;
  readonly header: Luks1Header;
  readonly index: number;
  readonly add: AddFinding;
  readonly detached: boolean;
  readonly materialBytes: number;
}

/** Number of sectors of key material: as stored, and as QEMU computes it. */
interface Area {
  readonly start: number;
  readonly sectors: number;
  readonly rounded: number;
}

/**
 * Judges all key slots, including disabled ones, in QEMU's order (check_header).
 *
 * @param options.detached the payload is in a separate file
 * @param options.materialBytes length of the file with header and key material, if it is a file
 */
export function judgeSlots(
  header: Luks1Header,
  add: AddFinding,
  options: { detached: boolean; materialBytes?: number | undefined },
): void {
  header.slots.forEach((slot, index) => {
    const { detached, materialBytes = Infinity } = options;
    const context = { slot, header, index, add, detached, materialBytes };
    const judge = judgeOf(keySlot, slot, {
      context: { "header size": HEADER_BYTES, "in an enabled slot": isEnabled(slot) },
      of: `key slot ${index}`,
      place: (field) => inSlot(index, field),
      findings: { add },
    });
    judge("luks.slot.stripes", "luks.slot.state", "luks.slot.iterations");
    if (judge("luks.slot.after-header")) judge("luks.slot.alignment");
    judgePlace(context);
    judgeOverlap(context);
    judgeStored(context);
  });
}

/** Whether a slot may contain a key. */
export function isEnabled(slot: KeySlot): boolean {
  return slot.active === slotStates.enabled;
}

function judgePlace({ slot, header, index, add, detached }: SlotContext): void {
  const { start, sectors, rounded } = areaOf(slot, header);
  const place = inSlot(index, "key_material_offset");
  const end = start + rounded;
  const payload = header.payload_offset;
  const refused = !detached && end % SECTORS_MAX > payload;
  must(!refused || start + sectors <= payload, add, {
    rule: "luks.slot.before-payload",
    place,
    message: () =>
      `The key material of slot ${index} ends at sector ${start + sectors}, but the payload ` +
      `starts at sector ${payload}`,
  });
  must(!refused || start + sectors > payload, add, {
    rule: "luks.slot.alignment",
    place,
    message: () =>
      `The key material of slot ${index} ends at sector ${end} when rounded up, but the ` +
      `payload starts at sector ${payload}`,
  });
  must(end < SECTORS_MAX, add, {
    rule: "luks.slot.end-range",
    place,
    message: () => `The key material of slot ${index} ends at sector ${end}, past 2^32`,
  });
}

function judgeOverlap({ slot, header, index, add }: SlotContext): void {
  const area = areaOf(slot, header);
  header.slots.forEach((otherSlot, other) => {
    if (other <= index) return;
    const otherArea = areaOf(otherSlot, header);
    if (!qemuOverlap(area, otherArea)) return;
    const really = area.start < otherArea.start + otherArea.sectors &&
      otherArea.start < area.start + area.sectors;
    add(
      really ? "luks.slot.no-overlap" : "luks.slot.alignment",
      inSlot(other, "key_material_offset"),
      () =>
        `The key material of slot ${index} at sector ${area.start} overlaps that of slot ${other} ` +
        `at sector ${otherArea.start}${really ? "" : " when rounded up"}`,
    );
  });
}

function judgeStored({ slot, header, index, add, materialBytes }: SlotContext): void {
  const end = slot.key_material_offset * SECTOR + header.key_bytes * slot.stripes;
  must(!isEnabled(slot) || end <= materialBytes, add, {
    rule: "luks.slot.material-inside-file",
    place: inSlot(index, "key_material_offset"),
    message: () =>
      `The key material of slot ${index} ends at byte ${end}, after the end of the file at byte ` +
      `${materialBytes}`,
  });
}

function areaOf(slot: KeySlot, { key_bytes }: Luks1Header): Area {
  return {
    start: slot.key_material_offset,
    sectors: materialSectors(key_bytes, slot.stripes),
    rounded: slotSectors(key_bytes, slot.stripes),
  };
}

/** QEMU's ranges_overlap, which treats an empty range as the two sectors around its start. */
function qemuOverlap(first: Area, second: Area): boolean {
  return lastOf(second) >= first.start && lastOf(first) >= second.start;
}

/** QEMU's range_get_last, whose arithmetic is unsigned. */
function lastOf({ start, rounded }: Area): number {
  const last = start + rounded - 1;
  return last < 0 ? Infinity : last;
}
