import { sizeText } from "../report/mod.ts";
import { writeAll } from "./output.ts";

/** How often a line is printed where no line can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;
const SECOND = 1000;
const COLUMNS = 80;

/** Shows on standard error how far images are hashed, how fast, and how long it will take. */
export class HashingProgress {
  readonly #images: number;
  readonly #refreshes = Deno.stderr.isTerminal();
  readonly #interval: number;
  readonly #start = performance.now();
  readonly #done = new Map<number, { done: number; length: number }>();
  #last: number;
  #isShown = false;

  constructor(images: number) {
    this.#images = images;
    this.#interval = this.#refreshes ? REFRESH_INTERVAL : LINE_INTERVAL;
    this.#last = this.#start;
  }

  /** Records how far an image is. */
  hashed(index: number, done: number, length: number): void {
    this.#done.set(index, { done, length });
    const now = performance.now();
    if (now - this.#last < this.#interval) return;
    this.#last = now;
    this.#show((now - this.#start) / SECOND);
  }

  /** Removes the line before something else is printed: the digest of an image, or its failure. */
  clear(): void {
    if (this.#isShown) writeAll(Deno.stderr, "\r\x1b[K");
    this.#isShown = false;
  }

  #show(seconds: number): void {
    const all = [...this.#done.values()];
    const done = all.reduce((sum, image) => sum + image.done, 0);
    const length = all.reduce((sum, image) => sum + image.length, 0);
    const rate = done / seconds;
    const finished = all.filter((image) => image.done === image.length).length;
    const images = this.#images > 1 ? `${finished} of ${this.#images} images  ` : "";
    const line = `${images}${sizeText(done)} of ${sizeText(length)}  ` +
      `${sizeText(rate)}/s  ${durationText((length - done) / rate)} left`;
    if (!this.#refreshes) return writeAll(Deno.stderr, `${line}\n`);
    writeAll(Deno.stderr, `\r\x1b[K${line.slice(0, COLUMNS - 1)}`);
    this.#isShown = true;
  }
}

const MINUTE = 60;
const HOUR = 3600;

/** A time for a person: `45 s`, `3 min`, `2 h 10 min`. */
function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  const whole = Math.ceil(seconds);
  if (whole < 2 * MINUTE) return `${whole} s`;
  const minutes = Math.round(whole / MINUTE);
  if (whole < 2 * HOUR) return `${minutes} min`;
  return `${Math.floor(minutes / MINUTE)} h ${minutes % MINUTE} min`;
}
