import { basename, dirname, join } from "node:path";
import { FileSource } from "../bytes/mod.ts";
import type { Layer } from "../format/mod.ts";
import { isZero, type OpenedImage, pieces } from "../image/mod.ts";
import { OPENING, OPENING_HELP, openNamed, readableLayers, reading } from "./images.ts";
import { whyUnreadable } from "./reasons.ts";
import { parseOptions } from "./options.ts";
import { MAX_SIZE_DEFAULT, mustNotExceed, sizeOption } from "./sizes.ts";
import { ImageError, UsageError, type Verb } from "./verb.ts";

const help = `diskproof convert IMAGE OUT [options]

Writes what a guest sees to a raw file, with holes for zeros. OUT appears when it is
complete, in place of what was there, and not at all when something goes wrong.

  --snapshot NAME      the content of an internal snapshot, by its id or name
  -O, --output-format  raw, which is the only one
  --max-size SIZE      the most content to write (default 1T)
${OPENING_HELP}
  --help               this text

Exit status: 0, 1 the image does not open or cannot be read, 2 a file cannot be used.

Example

  diskproof convert disk.qcow2 disk.raw
`;

/** Signals that ask the program to end, and the exit status when it does. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const INTERRUPTED = 130;

/** `convert`: guest content to a raw file. */
export const convertVerb: Verb = {
  name: "convert",
  says: "write what a guest sees to a raw file",
  help,
  needs: ["write"],
  run: async (args) => {
    const options = parseOptions(args, {
      lists: OPENING.lists,
      values: [...OPENING.values, "snapshot", "output-format", "max-size"],
      letters: { ...OPENING.letters, O: "output-format" },
    });
    const [path, out, ...others] = options.positional;
    if (path === undefined || out === undefined || others.length > 0) {
      throw new UsageError("Cannot run: name an image and a file to write (--help says more)");
    }
    const format = options.value("output-format") ?? "raw";
    if (format !== "raw") throw new UsageError(`Cannot run: -O takes raw, not '${format}'`);
    const image = openNamed(path, options);
    try {
      const layers = readableLayers(image, options.value("snapshot"));
      const size = layers[0]?.virtualSize ?? 0;
      mustNotExceed(size, sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT, path);
      mustNotRead(image, out);
      await writeWhole(out, (file) => reading(path, () => writeContent(layers, size, file)));
      return 0;
    } finally {
      image.close();
    }
  },
};

/** @throws {UsageError} when the file to write is one that is read */
function mustNotRead(image: OpenedImage, out: string): void {
  const target = realPathOf(out);
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    for (const source of [at.source, at.layer?.dataFileSource]) {
      if (!(source instanceof FileSource) || realPathOf(source.path) !== target) continue;
      throw new UsageError(`Cannot write to ${out}: the content comes from it`);
    }
  }
}

function realPathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Writes a file that is there as a whole or not at all: under another name first.
 *
 * @throws {UsageError} when it cannot be written
 */
async function writeWhole(
  out: string,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const partial = join(dirname(out), `.${basename(out)}.${crypto.randomUUID()}.partial`);
  const file = createFile(partial, out);
  const interrupt = () => {
    Deno.removeSync(partial);
    Deno.exit(INTERRUPTED);
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  try {
    await write(file);
    Deno.renameSync(partial, out);
  } catch (error) {
    Deno.removeSync(partial);
    throw error instanceof ImageError ? error : notWritten(out, error);
  } finally {
    file.close();
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
  }
}

function createFile(path: string, out: string): Deno.FsFile {
  try {
    if (!isReplaceable(out)) throw new TypeError("it is not a regular file");
    return Deno.openSync(path, { write: true, createNew: true });
  } catch (error) {
    throw notWritten(out, error);
  }
}

/** Whether there is nothing under a name, or a file. */
function isReplaceable(out: string): boolean {
  try {
    return Deno.statSync(out).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

function notWritten(out: string, error: unknown): UsageError {
  return new UsageError(`Cannot write to ${out}: ${whyUnreadable(error)}`);
}

/** After so many bytes, signals are looked at. */
const PAUSE_EVERY = 2 ** 25;

/** What is zero over so many bytes becomes a hole. */
const BLOCK = 65536;

async function writeContent(
  layers: readonly Layer[],
  size: number,
  file: Deno.FsFile,
): Promise<void> {
  file.truncateSync(size);
  let written = 0;
  for (const { start, bytes } of pieces(layers, { from: 0, to: size })) {
    if (bytes === undefined) continue;
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const block = bytes.subarray(at, at + BLOCK);
      if (!isZero(block)) writeAt(file, start + at, block);
    }
    written += bytes.length;
    if (written < PAUSE_EVERY) continue;
    written = 0;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
