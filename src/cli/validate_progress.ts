import type { GoldenFailure, GoldenRecord } from "../recorded/mod.ts";
import { print, writeAll } from "./output.ts";
import { ANSWERS_LISTED, failureJson, failureLines, toldFailures } from "./validation.ts";

/** How often a line says how far things are where nothing can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;
const SECOND = 1000;
const COLUMNS = 80;

/** What is to be told of, and how. */
export interface ProgressOptions {
  /** Images that there are. */
  readonly images: number;
  /** Differences are told as JSON. */
  readonly json: boolean;
}

/**
 * What a validation tells while it goes on: each difference on standard output as soon as it is found,
 * and on standard error how far things are, in one line that a terminal refreshes.
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
    // An adapter that hangs is to be seen: no image comes to its end then.
    this.#timer = setInterval(() => this.#status(), interval);
  }

  /** Takes in what has become of an image. */
  image(record: GoldenRecord, failures: readonly GoldenFailure[]): void {
    this.#asked++;
    for (const failure of toldFailures(failures)) {
      this.#clear();
      if (this.#options.json) print(failureJson(failure, record));
      else if (this.#differences < ANSWERS_LISTED) {
        for (const line of failureLines(failure, record)) print(line);
      }
      this.#differences++;
    }
  }

  /** Says nothing any more. */
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
