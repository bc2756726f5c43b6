import type { BitRange } from "./field.ts";
import type { Struct } from "./struct.ts";
import { fieldOf } from "./struct.ts";

/**
 * The mask of a named run of bits of a field, in the forms that its users need: as a `bigint`, and as
 * two 32-bit halves for loops over tables.
 */
export interface BitMask {
  readonly mask: bigint;
  /** Bits 32 to 63. */
  readonly high: number;
  /** Bits 0 to 31. */
  readonly low: number;
  /** Number of the lowest bit. */
  readonly from: number;
}

/** @throws {TypeError} when the description has no such field or bits. */
export function bitMask(struct: Struct, field: string, bits: string): BitMask {
  const range = fieldOf(struct, field as never).bits?.find((candidate) => candidate.name === bits);
  if (range === undefined) {
    throw new TypeError(`Cannot find bits ${bits} in ${struct.name}.${field}`);
  }
  return maskOf(range);
}

/** The bits of a field that are reserved and must be zero. */
export function reservedMask(struct: Struct, field: string): BitMask {
  const ranges = fieldOf(struct, field as never).bits ?? [];
  const mask = ranges.filter((range) => range.reserved === "must-be-zero")
    .reduce((all, range) => all | maskOf(range).mask, 0n);
  return halves(mask, 0);
}

function maskOf(range: BitRange): BitMask {
  const mask = ((1n << BigInt(range.to - range.from + 1)) - 1n) << BigInt(range.from);
  return halves(mask, range.from);
}

function halves(mask: bigint, from: number): BitMask {
  const high = Number(mask >> 32n);
  const low = Number(mask & 0xffffffffn);
  return Object.freeze({ mask, high, low, from });
}
