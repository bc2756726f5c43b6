import type { Range } from "../generate/mod.ts";

/** A range extended to whole units. */
export function whole({ start, end }: Range, unit: number): Range {
  return { start: Math.floor(start / unit) * unit, end: Math.ceil(end / unit) * unit };
}
