import { EditError } from "../../format/mod.ts";
import { refcountAt } from "../check/refcounts.ts";

/** Larger refcounts are not exact in a number. No file has that many references. */
export const EXACT_MAX = 2 ** 53 - 1;

/** @throws {EditError} if a refcount is too large for its width, or not exact in a number */
export function mustFit(count: number, bits: number): void {
  if (count <= Math.min(2 ** bits - 1, EXACT_MAX)) return;
  throw new EditError(`A refcount of ${bits} bits cannot count ${count} references`);
}

/** A refcount of a cluster. */
export type Count = readonly [cluster: number, count: number];

/** Changes a refcount in a block; the inverse of `refcountAt`. */
export function setRefcountAt(
  block: Uint8Array,
  index: number,
  { bits, value }: { readonly bits: number; readonly value: number },
): void {
  if (bits < 8) {
    const shift = index * bits % 8;
    const at = Math.floor(index * bits / 8);
    const mask = (2 ** bits - 1) << shift;
    block[at] = (block[at] as number) & ~mask | value << shift;
    return;
  }
  const width = bits / 8;
  let rest = value;
  for (let at = (index + 1) * width - 1; at >= index * width; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** The bytes of a block that contain the refcounts of `[from, to)`. */
export function bytesOf(from: number, to: number, bits: number): [start: number, end: number] {
  return [Math.floor(from * bits / 8), Math.ceil(to * bits / 8)];
}

/** The first refcount in `[from, to)` that is 0; `to` if there is none. */
export function nextZero(
  block: Uint8Array,
  [from, to]: readonly [number, number],
  bits: number,
): number {
  let at = from;
  while (at < to && refcountAt(block, at, bits) !== 0) at++;
  return at;
}
