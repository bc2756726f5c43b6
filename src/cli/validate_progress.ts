import { writeAll } from "./output.ts";

/** How often a progress line is printed where no line can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;
const SECOND = 1000;
const MINUTE = 60;
const COLUMNS = 80;
/** The part of the images after which the remaining time is estimated. */
const ESTIMATED_FROM = 0.02;

/** What is counted. */
export interface ProgressOptions {
  /** The number of images, of all peers together. */
  readonly images: number;
}

/** Reports the progress on standard error, in one line that a terminal refreshes. */
export class ValidationProgress {
  readonly #images: number;
  readonly #refreshes = Deno.stderr.isTerminal();
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #asked = 0;
  #wrong = 0;
  #shown = false;

  constructor({ images }: ProgressOptions) {
    this.#images = images;
    const interval = this.#refreshes ? REFRESH_INTERVAL : LINE_INTERVAL;
    // No image is finished while an adapter hangs.
    this.#timer = setInterval(() => this.#status(), interval);
  }

  /** Counts an image and the wrong answers about it. */
  image(wrong: number): void {
    this.#asked++;
    this.#wrong += wrong;
  }

  /** Removes the line, so that something can be printed. */
  clear(): void {
    if (this.#shown) writeAll(Deno.stderr, "\r\x1b[K");
    this.#shown = false;
  }

  /** Ends the reporting. */
  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #status(): void {
    const seconds = (performance.now() - this.#start) / SECOND;
    const rest = seconds / this.#asked * (this.#images - this.#asked);
    // The first images take longer: everything starts.
    const left = this.#asked < this.#images * ESTIMATED_FROM
      ? ""
      : `  about ${timeText(rest)} left`;
    const line = `${this.#asked} of ${this.#images} images  ${this.#wrong} wrong answers  ` +
      `${timeText(seconds)}${left}`;
    if (!this.#refreshes) return writeAll(Deno.stderr, `${line}\n`);
    writeAll(Deno.stderr, `\r\x1b[K${line.slice(0, COLUMNS - 1)}`);
    this.#shown = true;
  }
}

/** `12 s`, `3 min 20 s`. */
function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / MINUTE);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % MINUTE} s`;
}
