import { roundUp, SECTOR } from "../bytes/mod.ts";
import { SLOTS, STRIPES, UNIT } from "./structures.ts";

/** What QEMU and cryptsetup align header and key material to, in sectors. */
export const UNIT_SECTORS: number = UNIT / SECTOR;

const WORD = 2 ** 32;

/**
 * Sectors that the key material of a slot takes. QEMU multiplies modulo 2^32, which tells only for
 * numbers of stripes that nobody reads.
 */
export function materialSectors(keyBytes: number, stripes: number = STRIPES): number {
  return Math.ceil(Number((BigInt(keyBytes) * BigInt(stripes)) % BigInt(WORD)) / SECTOR);
}

/** The same with what is left free behind it, so that the next one is aligned. */
export function slotSectors(keyBytes: number, stripes: number = STRIPES): number {
  return roundUp(materialSectors(keyBytes, stripes), UNIT_SECTORS);
}

/** Where writers put the key material of a slot, in sectors. */
export function materialOffset(keyBytes: number, slot: number): number {
  return UNIT_SECTORS + slot * slotSectors(keyBytes);
}

/** The end of the last key material as writers place it, in sectors: the first sector for a payload. */
export function payloadStart(keyBytes: number): number {
  return materialOffset(keyBytes, SLOTS);
}
