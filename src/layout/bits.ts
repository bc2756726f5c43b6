import type { BitRange, Field } from "./field.ts";
import type { Struct } from "./struct.ts";
import { fieldOf } from "./struct.ts";

/**
 * The mask of a named run of bits of a field: as a `bigint`, and as two 32-bit halves for loops over
 * tables.
 */
export interface BitMask {
  /** The bits as a mask. */
  readonly mask: bigint;
  /** Bits 32 to 63. */
  readonly high: number;
  /** Bits 0 to 31. */
  readonly low: number;
  /** Number of the lowest bit. */
  readonly from: number;
}

/**
 * The mask of a named range of bits of a field.
 *
 * @throws {TypeError} when the description has no such field or bits.
 */
export function bitMask(struct: Struct, field: string, bits: string): BitMask {
  const described = fieldOf(struct, field as never);
  const from = described.bits?.find((candidate) => candidate.name === bits)?.from ?? 0;
  return halves(bitsMask(described, [bits]), from);
}

/** The bits of a field that are reserved. */
export function reservedMask(struct: Struct, field: string): BitMask {
  return halves(bitsMask(fieldOf(struct, field as never), "reserved"), 0);
}

/**
 * The mask of all reserved runs of bits of a field, or of those with these names.
 *
 * @throws {TypeError} if there are no such bits
 */
export function bitsMask(field: Field, which: "reserved" | readonly string[]): bigint {
  const ranges = field.bits ?? [];
  if (which === "reserved") return union(ranges.filter(({ reserved }) => reserved));
  return union(which.map((name) => {
    const range = ranges.find((candidate) => candidate.name === name);
    if (range === undefined) throw new TypeError(`Cannot find bits ${name} in ${field.name}`);
    return range;
  }));
}

function union(ranges: readonly BitRange[]): bigint {
  return ranges.reduce(
    (all, { from, to }) => all | ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from),
    0n,
  );
}

function halves(mask: bigint, from: number): BitMask {
  const high = Number(mask >> 32n);
  const low = Number(mask & 0xffffffffn);
  return Object.freeze({ mask, high, low, from });
}
