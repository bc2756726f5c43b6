import { AccessError } from "../format/mod.ts";
import { layersOf, mapEntries, type OpenedImage } from "../image/mod.ts";
import { learnHoles } from "../peers/mod.ts";
import { MAP_HEADING, mapLine, mapRowOf } from "../report/mod.ts";
import {
  chainNames,
  onlyImage,
  OPENING,
  OPENING_HELP,
  openNamed,
  readableLayers,
} from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { complain, Printer } from "./output.ts";
import { FAILED } from "./program.ts";
import { sizeOption } from "./sizes.ts";

/** The text of `map --help`. */
export const help = `diskproof map IMAGE [options]

Prints where the content of an image is stored, as qemu-img map does. The holes of a sparse
file come from qemu-img where it is installed; without it they are estimated. In text,
compressed and encrypted data has a row that says so, where qemu-img stops with an error.

  --json               JSON as qemu-img prints it, one entry per line; also --output json
  -s, --start-offset SIZE
                       the offset in the disk to start at (default 0)
  -l, --max-length SIZE
                       the length of the part to print (default: up to the end)
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image does not open or a part of its tables cannot be read (the
entries before it are printed), 2 a file cannot be read, or no given passphrase opens it.

Example

  diskproof map --output json --start-offset 1G --max-length 64M disk.qcow2
`;

/** `map`: what qemu-img's verb of the same name prints. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["json"],
    lists: OPENING.lists,
    values: [...OPENING.values, "start-offset", "max-length"],
    letters: { ...OPENING.letters, s: "start-offset", l: "max-length" },
  });
  const range = rangeOf(options);
  const image = openNamed(onlyImage(options), options);
  try {
    readableLayers(image);
    const estimated = await learnHoles(image);
    if (estimated !== undefined) {
      complain(`warning: the holes of sparse files are estimated: ${estimated.message}`);
    }
    return options.flag("json") ? printJson(image, range) : printText(image, range);
  } finally {
    image.close();
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangeOf(options: Options): Range {
  const from = sizeOption(options, "start-offset") ?? 0;
  const length = sizeOption(options, "max-length");
  return { from, to: length === undefined ? Infinity : from + length };
}

function printJson(image: OpenedImage, range: Range): number {
  const printer = new Printer();
  printer.write("[");
  let pending: string | undefined;
  const error = throughEntries(image, range, (entry) => {
    if (pending !== undefined) printer.write(`${pending},\n`);
    pending = mapLine(entry);
  });
  // An entry is complete when the next one starts or the map ends.
  const last = error === undefined
    ? `${pending ?? ""}]\n`
    : pending === undefined
    ? ""
    : `${pending},\n`;
  printer.write(last);
  printer.flush();
  return conclude(image, error);
}

function printText(image: OpenedImage, range: Range): number {
  const printer = new Printer();
  printer.write(`${MAP_HEADING}\n`);
  const files = filesOf(image);
  const error = throughEntries(image, range, (entry) => {
    const row = mapRowOf(entry, files);
    if (row !== undefined) printer.write(`${row}\n`);
  });
  printer.flush();
  return conclude(image, error);
}

/** Calls `take` with each entry, up to the first one that cannot be looked up. */
function throughEntries(
  image: OpenedImage,
  range: Range,
  take: (entry: Parameters<typeof mapLine>[0]) => void,
): AccessError | undefined {
  try {
    for (const entry of mapEntries(image, range)) take(entry);
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
  return undefined;
}

function conclude({ path }: OpenedImage, error: AccessError | undefined): number {
  if (error === undefined) return 0;
  const { rule, place } = error.broken;
  complain(`Cannot map ${path}: ${error.message} (${rule} at ${place.path})`);
  return FAILED;
}

/** The names of the files with the data of the chain, from the top down. */
function filesOf(image: OpenedImage): string[] {
  const layers = layersOf(image);
  return chainNames(image, image.path).map((name, depth) => layers[depth]?.dataFile?.name ?? name);
}
