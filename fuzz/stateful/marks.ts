import type { Range } from "../generate/mod.ts";

/** Ranges in order, merged where they overlap or touch, and cut at `size`. */
export function merged(ranges: Iterable<Range>, size: number): Range[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const to = Math.min(end, size);
    if (start >= to) continue;
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, to);
    else result.push({ start, end: to });
  }
  return result;
}

/** A range extended to whole units. */
export function whole({ start, end }: Range, unit: number): Range {
  return { start: Math.floor(start / unit) * unit, end: Math.ceil(end / unit) * unit };
}
