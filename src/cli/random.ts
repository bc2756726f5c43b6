import { randomBytes } from "node:crypto";

/** Random bytes. */
export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
