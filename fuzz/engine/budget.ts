const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The longest duration that is accepted: a week. */
const DURATION_MAX = 7 * 24 * 3_600_000;

/**
 * Parses a duration: `90`, `60s`, `5m`, `1h`, `500ms`.
 *
 * @returns milliseconds; `undefined` for other text, for zero and for more than a week
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

/** The most time for one failure while the target runs, in milliseconds. */
export const GRANT_MAX = 120_000;
/** Less time than this is not worth starting for, in milliseconds. */
const GRANT_MIN = 20;

/**
 * The time for making failures smaller while cases run: half of the time that is left when the first
 * failure is found. Each failure gets half of the rest, so that shrinking never starves finding.
 */
export class ShrinkShare {
  readonly #until: number;
  readonly #all: number | undefined;
  readonly #jobs: number;
  #left: number | undefined;

  /**
   * @param until when the time of the run ends; `Infinity` for no limit
   * @param options.jobs how many workers there are
   * @param options.unlimited milliseconds for all failures if the run has no limit
   */
  constructor(until: number, { jobs, unlimited }: { jobs: number; unlimited: number }) {
    this.#until = until;
    this.#jobs = jobs;
    this.#all = until === Infinity ? unlimited * jobs : undefined;
  }

  /** Reserves time for one failure, in milliseconds; 0 if there is not enough left. */
  take(now: number): number {
    const remaining = this.#until - now;
    this.#left ??= this.#all ?? Math.max(0, remaining) * this.#jobs / 2;
    const granted = Math.min(this.#left / 2, remaining / 2, GRANT_MAX);
    if (granted < GRANT_MIN) return 0;
    this.#left -= granted;
    return granted;
  }

  /** Returns time that was not used. */
  giveBack(milliseconds: number): void {
    this.#left = (this.#left ?? 0) + Math.max(0, milliseconds);
  }
}
