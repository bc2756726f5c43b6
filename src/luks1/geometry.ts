import { roundUp, SECTOR } from "../bytes/mod.ts";
import { SLOTS, STRIPES, UNIT } from "./structures.ts";

/** Alignment of header and key material in QEMU and cryptsetup, in sectors. */
export const UNIT_SECTORS: number = UNIT / SECTOR;

const WORD = 2 ** 32;

/**
 * Number of sectors of the key material of a slot. QEMU multiplies modulo 2^32, which matters only for
 * numbers of stripes that it rejects.
 */
export function materialSectors(keyBytes: number, stripes: number = STRIPES): number {
  return Math.ceil(Number((BigInt(keyBytes) * BigInt(stripes)) % BigInt(WORD)) / SECTOR);
}

/** The same including the padding that aligns the next one. */
export function slotSectors(keyBytes: number, stripes: number = STRIPES): number {
  return roundUp(materialSectors(keyBytes, stripes), UNIT_SECTORS);
}

/** Offset at which writers put the key material of a slot, in sectors. */
export function materialOffset(keyBytes: number, slot: number): number {
  return UNIT_SECTORS + slot * slotSectors(keyBytes);
}

/** The end of the last key material as writers place it, in sectors: the first sector for a payload. */
export function payloadStart(keyBytes: number): number {
  return materialOffset(keyBytes, SLOTS);
}
