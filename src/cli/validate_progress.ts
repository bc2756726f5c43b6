import type { ImageRecord, VerifyFailure } from "../recorded/mod.ts";
import { print, writeAll } from "./output.ts";
import { ANSWERS_LISTED, failureJson, failureLines, reportedFailures } from "./validation.ts";

/** How often a progress line is printed where no line can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;
const SECOND = 1000;
const COLUMNS = 80;

/** The options of a report. */
export interface ProgressOptions {
  /** The number of images. */
  readonly images: number;
  /** Differences are printed as JSON. */
  readonly json: boolean;
}

/**
 * Reports a validation while it runs: each difference on standard output as soon as it is found, and
 * the progress on standard error, in one line that a terminal refreshes.
 */
export class ValidationProgress {
  readonly #options: ProgressOptions;
  readonly #refreshes = Deno.stderr.isTerminal();
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #asked = 0;
  #differences = 0;
  #shown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    const interval = this.#refreshes ? REFRESH_INTERVAL : LINE_INTERVAL;
    // No image is finished while an adapter hangs.
    this.#timer = setInterval(() => this.#status(), interval);
  }

  /** Reports the result of an image. */
  image(record: ImageRecord, failures: readonly VerifyFailure[]): void {
    this.#asked++;
    for (const failure of reportedFailures(failures)) {
      this.#clear();
      if (this.#options.json) print(failureJson(failure, record));
      else if (this.#differences < ANSWERS_LISTED) {
        for (const line of failureLines(failure, record)) print(line);
      }
      this.#differences++;
    }
  }

  /** Ends the reporting. */
  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #status(): void {
    const seconds = Math.floor((performance.now() - this.#start) / SECOND);
    const { images } = this.#options;
    const line = `${this.#asked} of ${images} images  ${this.#differences} differ  ${seconds} s`;
    if (!this.#refreshes) return writeAll(Deno.stderr, `${line}\n`);
    writeAll(Deno.stderr, `\r\x1b[K${line.slice(0, COLUMNS - 1)}`);
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) writeAll(Deno.stderr, "\r\x1b[K");
    this.#shown = false;
  }
}
