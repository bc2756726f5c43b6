import type { BitMask } from "../layout/mod.ts";

/** The value in a pair of 32-bit halves. Exact below 2^53 and for multiples of 2^n below 2^(53 + n). */
export function joined(high: number, low: number): number {
  return high * 0x100000000 + low;
}

/** The value in a pair of 32-bit halves, exact. */
export function wordOf(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The bits under a mask, in place, as a number. Exact for offsets: they are multiples of 512. */
export function masked(high: number, low: number, bits: BitMask): number {
  return joined((high & bits.high) >>> 0, (low & bits.low) >>> 0);
}

/** Whether any bit under the mask is set. */
export function anyBit(high: number, low: number, bits: BitMask): boolean {
  return ((high & bits.high) | (low & bits.low)) !== 0;
}
