import { sizeText } from "../report/mod.ts";
import { holdFile } from "./deno_files.ts";
import type { Options } from "./options.ts";
import { whyUnreadable } from "./reasons.ts";
import { sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** The option with the limit on an image from standard input. */
export const STDIN_MAX = "stdin-max";

/** The help text for an image from standard input. */
export const STDIN_HELP =
  `  --stdin-max SIZE     the largest image that is read from standard input, where IMAGE is -: it
                       is kept in a file in TMPDIR without a name (default 16G)`;

const STDIN_MAX_DEFAULT = 16 * 2 ** 30;
const CHUNK = 2 ** 20;

/**
 * Reads an image from standard input into a file where one is requested. An image is read in any order,
 * which a pipe does not allow. The file has no name from the start, so that nothing is left of it
 * however the program ends.
 *
 * @param others the options that can read standard input too
 * @throws {UsageError} when it cannot be read, or is longer than the limit
 */
export function spoolStandardInput(options: Options, others: readonly string[] = []): void {
  const max = sizeOption(options, STDIN_MAX) ?? STDIN_MAX_DEFAULT;
  // The npm package writes no files.
  if (!options.positional.includes("-") || Deno.makeTempFileSync === undefined) return;
  if (others.some((name) => options.list(name).includes("-"))) {
    throw new UsageError("Cannot read standard input twice: it is the image");
  }
  const spool = unnamedFile();
  const chunk = new Uint8Array(CHUNK);
  let length = 0;
  for (let count = next(chunk); count !== null; count = next(chunk)) {
    length += count;
    if (length > max) {
      throw new UsageError(
        `Cannot read standard input: it is longer than ${sizeText(max)} (${max} bytes); ` +
          `--${STDIN_MAX} changes the limit`,
      );
    }
    writeTo(spool, chunk.subarray(0, count));
  }
  holdFile("-", spool);
}

function unnamedFile(): Deno.FsFile {
  try {
    const path = Deno.makeTempFileSync({ prefix: "diskproof-" });
    const file = Deno.openSync(path, { read: true, write: true });
    Deno.removeSync(path);
    return file;
  } catch (error) {
    throw new UsageError(`Cannot keep standard input in a file: ${whyUnreadable(error)}`);
  }
}

function next(chunk: Uint8Array): number | null {
  try {
    return Deno.stdin.readSync(chunk);
  } catch (error) {
    throw new UsageError(`Cannot read standard input: ${whyUnreadable(error)}`);
  }
}

function writeTo(file: Deno.FsFile, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  } catch (error) {
    throw new UsageError(`Cannot keep standard input in a file: ${whyUnreadable(error)}`);
  }
}
