const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest duration that a budget may have: a week. */
const DURATION_MAX = 7 * 24 * 3_600_000;

/**
 * A duration as people write it: `90`, `60s`, `5m`, `1h`, `500ms`.
 *
 * @returns milliseconds; `undefined` for anything else, for nothing at all and for over a week
 */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const milliseconds = Number(digits) * (UNITS[unit] as number);
  return milliseconds > 0 && milliseconds <= DURATION_MAX ? milliseconds : undefined;
}

/** A duration for a person: `850ms`, `12.5s`, `4m05s`, `1h02m`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${(Math.floor(milliseconds / 100) / 10).toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/**
 * How long the first of `weights` may run when `remaining` milliseconds are left for all of them. A
 * target that needs less leaves the rest to those after it.
 */
export function shareOf(remaining: number, weights: readonly number[]): number {
  const [own = 0] = weights;
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return sum > 0 ? Math.max(0, remaining * own / sum) : 0;
}

/** The longest that one failure is made smaller while there are others to be found, in milliseconds. */
export const GRANT_MAX = 120_000;
/** What is not worth starting for. */
const GRANT_MIN = 20;

/**
 * The time for making failures smaller while a target runs. All of it together is half of what was
 * left for the target when the first failure was met, and each failure gets half of what is left of
 * that, so that it never starves finding others.
 */
export class ShrinkShare {
  readonly #until: number;
  readonly #all: number | undefined;
  readonly #jobs: number;
  #left: number | undefined;

  /**
   * @param until when the target's time is up; `Infinity` where it has no limit
   * @param options.jobs how many workers there are
   * @param options.unlimited milliseconds for all failures where the target has no limit
   */
  constructor(until: number, { jobs, unlimited }: { jobs: number; unlimited: number }) {
    this.#until = until;
    this.#jobs = jobs;
    this.#all = until === Infinity ? unlimited * jobs : undefined;
  }

  /** Takes out the milliseconds that one failure may have now; 0 where nothing is left. */
  take(now: number): number {
    const remaining = this.#until - now;
    this.#left ??= this.#all ?? Math.max(0, remaining) * this.#jobs / 2;
    const granted = Math.min(this.#left / 2, remaining / 2, GRANT_MAX);
    if (granted < GRANT_MIN) return 0;
    this.#left -= granted;
    return granted;
  }

  /** Puts back what was not needed. */
  giveBack(milliseconds: number): void {
    this.#left = (this.#left ?? 0) + Math.max(0, milliseconds);
  }
}
