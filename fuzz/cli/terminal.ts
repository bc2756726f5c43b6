import { print, writeAll } from "../../src/cli/mod.ts";

/** How often a line says how far things are where nothing can be refreshed, in milliseconds. */
const LINE_INTERVAL = 10_000;
/** How often a line on a terminal is refreshed, in milliseconds. */
const REFRESH_INTERVAL = 200;

/** Standard output with one line that says how far things are: refreshed on a terminal. */
export class Terminal {
  readonly #refreshes = Deno.stdout.isTerminal();
  #shown = false;
  #last = performance.now();

  /** Writes a text below everything else. */
  print(text: string): void {
    this.#clear();
    print(text);
  }

  /** Says how far things are, if it is time for that. */
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
    // A terminal that does not know its width.
    return 80;
  }
}
