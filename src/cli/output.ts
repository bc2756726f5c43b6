import { visible } from "../format/mod.ts";

const encoder = new TextEncoder();

/** Writes a text and a line end to standard output. */
export function print(text: string): void {
  writeAll(Deno.stdout, `${text}\n`);
}

/**
 * A value as JSON in one line. JSON may contain control characters above U+007F, which a terminal
 * would execute: they are escaped.
 */
export function jsonLine(value: unknown): string {
  return visible(JSON.stringify(value));
}

/** Writes an error to standard error, in one line without control characters. */
export function complain(text: string): void {
  writeAll(Deno.stderr, `diskproof: ${visible(text.replaceAll(/\s*\n\s*/g, " "))}\n`);
}

/**
 * Writes a text unchanged. It is not an error if the reader has closed the pipe, as `head` does.
 */
export function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** How many characters are collected before they are written. */
const BATCH = 65536;

/** Collects text for standard output and writes it in few calls. */
export class Printer {
  #batch = "";

  write(text: string): void {
    this.#batch += text;
    if (this.#batch.length >= BATCH) this.flush();
  }

  flush(): void {
    writeAll(Deno.stdout, this.#batch);
    this.#batch = "";
  }
}
