import { print, writeAll } from "../../src/cli/mod.ts";

/** Interval of progress lines if standard output is not a terminal, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** Interval of refreshing the progress line on a terminal, in milliseconds. */
const REFRESH_INTERVAL = 200;

/** Standard output with a progress line, which is refreshed on a terminal. */
export class Terminal {
  readonly #refreshes = Deno.stdout.isTerminal();
  #shown = false;
  #last = performance.now();

  /** Prints a text. */
  print(text: string): void {
    this.#clear();
    print(text);
  }

  /** Prints progress, if it is time for that. */
  status(make: () => string): void {
    const now = performance.now();
    if (now - this.#last < (this.#refreshes ? REFRESH_INTERVAL : LINE_INTERVAL)) return;
    this.#last = now;
    if (!this.#refreshes) return print(make());
    this.#clear();
    writeAll(Deno.stdout, make().slice(0, columns() - 1));
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) writeAll(Deno.stdout, "\r\x1b[K");
    this.#shown = false;
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // The terminal does not know its width.
    return 80;
  }
}
