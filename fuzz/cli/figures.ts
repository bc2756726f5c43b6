import {
  type Counts,
  DEPTHS,
  formatDuration,
  type Progress,
  sumCounts,
  total,
} from "../engine/mod.ts";

/** The figures of a target as text. */
export interface Figures {
  readonly cases: string;
  /** Cases that compared nothing. */
  readonly skipped: string;
  readonly perSecond: string;
  /** The share of cases at each depth, in per cent. */
  readonly depths: readonly string[];
  readonly rules: string;
  readonly failures: string;
  readonly divergences: string;
}

/** Formats the counts of a target. */
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

/** The progress of a target in one line. */
export function progressLine(progress: Progress): string {
  const figures = figuresOf(progress);
  const depths = DEPTHS.map((depth, i) => `${depth} ${figures.depths[i]}`).join(" ");
  return [
    progress.target,
    `${figures.cases} ${figures.cases === "1" ? "case" : "cases"}`,
    `${figures.perSecond}/s`,
    depths,
    `rules ${figures.rules}`,
    `failures ${figures.failures}`,
    `divergences ${figures.divergences}`,
  ].join("  ");
}

/** The progress of all targets in one line. */
export function overallLine(all: readonly Progress[]): string {
  const milliseconds = all.reduce((sum, progress) => sum + progress.milliseconds, 0);
  const figures = figuresOf({ counts: sumCounts(all.map(({ counts }) => counts)), milliseconds });
  return [
    formatDuration(milliseconds),
    `${figures.cases} ${figures.cases === "1" ? "case" : "cases"}`,
    `${figures.perSecond}/s`,
    `rules ${figures.rules}`,
    `failures ${figures.failures}`,
    `divergences ${figures.divergences}`,
  ].join("  ");
}
