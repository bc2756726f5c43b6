import { roundUp } from "../../bytes/mod.ts";

/** Bytes with zeros after them, up to a multiple of `unit`. */
export function padded(bytes: Uint8Array, unit: number): Uint8Array {
  const target = new Uint8Array(roundUp(bytes.length, unit));
  target.set(bytes);
  return target;
}
