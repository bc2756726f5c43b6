import type { Watch } from "../format/mod.ts";
import type { OpenedImage } from "../image/mod.ts";
import { sizeText } from "../report/mod.ts";
import type { Options } from "./options.ts";
import { writeAll } from "./output.ts";

/** How often a line is printed where no line can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;
/** Work that is done earlier shows nothing. */
const SECOND = 1000;
const COLUMNS = 80;

/** The option that shows progress where there is no terminal. */
export const PROGRESS = "progress";

/** The help text of this option. */
export const PROGRESS_HELP =
  `  --progress           print on standard error how much is done, how fast, and the time left;
                       without it, only on a terminal, and after a second`;

/** Shows progress where the options or a terminal ask for it. */
export function progressOf(options: Options, images = 1): Progress | undefined {
  const shows = options.flag(PROGRESS) || Deno.stderr.isTerminal();
  return shows ? new Progress(images) : undefined;
}

/** Watches the work on an image; its part that is done counts as that part of its disk. */
export function watchOf(
  progress: Progress | undefined,
  { layer }: OpenedImage,
  index = 0,
): { watch?: Watch } {
  const size = layer?.virtualSize ?? 0;
  return progress === undefined
    ? {}
    : { watch: (done) => progress.at(index, Math.floor(done * size), size) };
}

/** Shows on standard error how much of images is done, how fast, and how long the rest will take. */
export class Progress {
  readonly #images: number;
  readonly #refreshes = Deno.stderr.isTerminal();
  readonly #interval: number;
  readonly #start = performance.now();
  readonly #done = new Map<number, { done: number; length: number }>();
  /** When the line is shown next. */
  #next: number;
  #isShown = false;

  constructor(images: number) {
    this.#images = images;
    this.#interval = this.#refreshes ? REFRESH_INTERVAL : LINE_INTERVAL;
    this.#next = this.#start + Math.max(SECOND, this.#interval);
  }

  /** Records how many bytes of an image are done. */
  at(index: number, done: number, length: number): void {
    this.#done.set(index, { done, length });
    const now = performance.now();
    if (now < this.#next) return;
    this.#next = now + this.#interval;
    this.#show((now - this.#start) / SECOND);
  }

  /** Removes the line before something else is printed: a result, or a failure. */
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
