import { MemorySource, SECTOR, type Segment } from "../../bytes/mod.ts";
import { decodeLuks1, type Luks1Header } from "../decode.ts";
import { materialSectors } from "../geometry.ts";
import { header as luksHeader, keySlot, slotStates } from "../structures.ts";

/**
 * The writes that turn one state of header and key material into the next ones. Each step must be
 * flushed to disk before the next. For each state, the steps are: new key material, the slots that use
 * it, the slots that become disabled, and finally their old key material.
 *
 * @param area the region of the file that offsets are relative to
 * @param options.states the states after `before`, of which the last one is final
 */
export function keySteps(
  area: { readonly offset: number },
  { before, states }: { readonly before: Uint8Array; readonly states: readonly Uint8Array[] },
): Segment[][] {
  return states.flatMap((after, index) =>
    stepsBetween(area, { before: states[index - 1] ?? before, after })
  );
}

function stepsBetween(
  area: { readonly offset: number },
  { before, after }: { readonly before: Uint8Array; readonly after: Uint8Array },
): Segment[][] {
  const header = decodeLuks1(new MemorySource(after));
  const changed = (part: Segment): boolean =>
    part.bytes.some((byte, at) => byte !== before[part.offset + at]);
  const slots = header.slots.map((slot, index) => ({
    enabled: slot.active === slotStates.enabled,
    record: partOf(after, luksHeader.size + index * keySlot.size, keySlot.size),
    material: materialOf(after, header, index),
  }));
  const on = slots.filter(({ enabled }) => enabled);
  const off = slots.filter(({ enabled }) => !enabled);
  return [
    on.map(({ material }) => material),
    on.map(({ record }) => record),
    off.map(({ record }) => record),
    off.map(({ material }) => material),
  ].map((step) => step.filter(changed)).filter((step) => step.length > 0)
    .map((step) => step.map(({ offset, bytes }) => ({ offset: area.offset + offset, bytes })));
}

function partOf(bytes: Uint8Array, offset: number, length: number): Segment {
  return { offset, bytes: bytes.subarray(offset, offset + length) };
}

function materialOf(bytes: Uint8Array, { slots, key_bytes }: Luks1Header, index: number): Segment {
  const offset = (slots[index]?.key_material_offset ?? 0) * SECTOR;
  return partOf(bytes, offset, materialSectors(key_bytes) * SECTOR);
}
