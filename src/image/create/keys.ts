import type { ByteSource } from "../../bytes/mod.ts";
import type { KeyArea } from "../../format/mod.ts";
import { formats } from "../../formats.ts";

/** Where a header with its key material is in a file, and the format of the file. */
export interface FoundKeyArea extends KeyArea {
  readonly format: string;
}

/**
 * Finds the key slots of a file, where they are sound enough to be written to.
 *
 * @returns the place, or why there is none, as the end of a sentence
 */
export function keyAreaOf(source: ByteSource): FoundKeyArea | string {
  for (const { name, keys } of formats) {
    const area = keys?.area?.(source);
    if (typeof area === "string") return area;
    if (area !== undefined) return { format: name, ...area };
  }
  return "it has no LUKS header";
}

/** Header and key material. */
export function readKeyArea(source: ByteSource, { offset, length }: KeyArea): Uint8Array {
  return source.read(offset, length).slice();
}
