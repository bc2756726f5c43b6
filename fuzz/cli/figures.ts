import { type Counts, DEPTHS, type Progress, total } from "../engine/mod.ts";

/** The figures of a target as text, in the order in which they are shown. */
export interface Figures {
  readonly cases: string;
  /** Cases that compared nothing. */
  readonly skipped: string;
  readonly perSecond: string;
  /** How deep the cases got, in per cent one for each depth. */
  readonly depths: readonly string[];
  readonly rules: string;
  readonly failures: string;
  readonly divergences: string;
}

/** What to show of a target's counts. */
export function figuresOf({ counts, milliseconds }: Omit<Progress, "target">): Figures {
  const perSecond = milliseconds > 0 ? counts.cases * 1000 / milliseconds : 0;
  return {
    cases: grouped(counts.cases),
    skipped: grouped(total(counts.skipped)),
    perSecond: grouped(perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond)),
    depths: depthsOf(counts),
    rules: String(Object.keys(counts.rules).length),
    failures: grouped(total(counts.failures)),
    divergences: grouped(total(counts.divergences)),
  };
}

function depthsOf({ depths }: Counts): string[] {
  const all = total(depths);
  return DEPTHS.map((depth) => all === 0 ? "-" : `${Math.round(100 * depths[depth] / all)}%`);
}

/** A number with commas between the thousands. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** How far a target is, in one line. */
export function progressLine(progress: Progress): string {
  const figures = figuresOf(progress);
  const depths = DEPTHS.map((depth, i) => `${depth} ${figures.depths[i]}`).join(" ");
  return [
    progress.target,
    `${figures.cases} cases`,
    `${figures.perSecond}/s`,
    depths,
    `rules ${figures.rules}`,
    `failures ${figures.failures}`,
    `divergences ${figures.divergences}`,
  ].join("  ");
}
