import { roundUp, SECTOR } from "../bytes/mod.ts";
import { header, HEADER_SIZES } from "./structures.ts";

export { HEADER_SIZES } from "./structures.ts";

/** Valid sector sizes of a segment in bytes. */
export const SECTOR_SIZES: readonly number[] = [512, 1024, 2048, 4096];
/** The alignment of areas in bytes. */
export const UNIT = 4096;
/** Length of a binary header in bytes. */
export const BINARY_BYTES: number = header.size;
/** The largest length of a copy in bytes. */
export const HEADER_SIZE_MAX: number = Math.max(...HEADER_SIZES);
/** The largest length of the area for key slots that cryptsetup accepts, in bytes. */
export const KEYSLOTS_SIZE_MAX = 0x8000000;
/** Stripes of every key slot. */
export const STRIPES = 4000;
/** Length in bytes of the salts of key derivation and digest. */
export const SALT_BYTES = 32;
/** The smallest number that does not fit into 64 bits. */
export const UINT64_END: bigint = 1n << 64n;

/** Bytes of key material of a key, in whole sectors. */
export function materialBytes(keyBytes: number): number {
  return roundUp(keyBytes * STRIPES, SECTOR);
}
