import type { Layer } from "../../src/format/mod.ts";
import { extentsOf } from "../../src/image/mod.ts";
import type { NamedAnswer } from "../engine/mod.ts";

/** Index of the first byte in which the two differ, or -1. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let i = equalWords(left, right) * WORD; i < length; i++) if (left[i] !== right[i]) return i;
  return left.length === right.length ? -1 : length;
}

const WORD = 4;

/** Number of words at the start that are equal; 0 where the bytes are not aligned as words are. */
function equalWords(left: Uint8Array, right: Uint8Array): number {
  if (left.byteOffset % WORD !== 0 || right.byteOffset % WORD !== 0) return 0;
  const count = Math.floor(Math.min(left.length, right.length) / WORD);
  const words = new Uint32Array(left.buffer, left.byteOffset, count);
  const others = new Uint32Array(right.buffer, right.byteOffset, count);
  let equal = 0;
  while (equal < count && words[equal] === others[equal]) equal++;
  return equal;
}

const SHOWN = 16;

/** The bytes around a place, on one side. */
export function answerAt(
  by: string,
  bytes: Uint8Array,
  { start, place }: { start: number; place: number },
): NamedAnswer {
  const from = Math.max(start, place - place % SHOWN);
  const shown = bytes.subarray(from - start, from - start + SHOWN);
  const digits = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0"));
  return { by, text: `0x${from.toString(16)}: ${digits.join(" ")}` };
}

/** The kind of the cluster with a byte of the disk, and its layer: `compressed.qcow2.top`. */
export function whereIn(layers: readonly Layer[], at: number): string {
  const [extent] = extentsOf(layers, at, at + 1);
  const depth = extent?.depth ?? 0;
  const layer = layers[depth];
  const extended = layer?.info()["format-specific"]?.data["extended-l2"] === true;
  const kind = extent?.run.kind ?? "unallocated";
  return [
    extended && kind !== "compressed" ? `${kind}-subcluster` : kind,
    layer?.format ?? "none",
    depth === 0 ? "top" : "backing",
  ].join(".");
}
