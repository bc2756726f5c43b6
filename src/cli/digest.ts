import { visible } from "../format/mod.ts";
import { digestOf } from "../image/mod.ts";
import { eachImage, OPENING, OPENING_HELP, openNamed, readableLayers, reading } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { MAX_SIZE_DEFAULT, mustNotExceed, parseSize, sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** The text of `digest --help`. */
export const help = `diskproof digest IMAGE… [options]

Prints the SHA-256 of the content that a guest sees, one line per image, as sha256sum does.
It is the SHA-256 of the file that qemu-img convert -O raw writes.

  --snapshot NAME      the content of an internal snapshot, by id or name
  --range START:LENGTH a part of the content, in bytes or with a suffix, such as 1M:64K
  --max-size SIZE      reject an image with more content than this (default 1T)
  --json               one JSON object per line: image, sha256, length
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 an image does not open or cannot be read, 2 a file cannot be read.

Example

  diskproof digest --snapshot before-upgrade disk.qcow2
`;

/** `digest`: SHA-256 of the guest content. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...OPENING,
    flags: ["json"],
    values: [...OPENING.values, "snapshot", "range", "max-size"],
  });
  const part = partOf(options);
  return eachImage(options.positional, async (path) => {
    const { sha256, length } = await digestNamed(path, options, part);
    print(options.flag("json") ? jsonLine({ image: path, sha256, length }) : line(path, sha256));
    return 0;
  });
}

interface Part {
  readonly start: number;
  /** Absent for the rest of the disk. */
  readonly length?: number;
  readonly maxSize: number;
}

function partOf(options: Options): Part {
  const maxSize = sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT;
  const range = options.value("range");
  if (range === undefined) return { start: 0, maxSize };
  const [start, length, ...others] = range.split(":");
  if (start === undefined || length === undefined || others.length > 0) {
    throw new UsageError(`--range must be START:LENGTH, such as 1M:64K, not '${range}'`);
  }
  return { start: parseSize(start, "range"), length: parseSize(length, "range"), maxSize };
}

async function digestNamed(
  path: string,
  options: Options,
  part: Part,
): Promise<{ sha256: string; length: number }> {
  const image = openNamed(path, options);
  try {
    const layers = readableLayers(image, options.value("snapshot"));
    const size = layers[0]?.virtualSize ?? 0;
    const length = part.length ?? size - part.start;
    if (length < 0 || part.start + length > size) {
      throw new UsageError(`Cannot read ${path}: the range ends past the disk of ${size} bytes`);
    }
    mustNotExceed(length, part.maxSize, path);
    const range = { from: part.start, to: part.start + length };
    return { sha256: await reading(path, () => digestOf(layers, range)), length };
  } finally {
    image.close();
  }
}

/**
 * A line as sha256sum prints it: it starts with a backslash if the name is escaped. Other control
 * characters, which sha256sum prints unchanged, are escaped as everywhere else.
 */
function line(path: string, sha256: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return visible(`${escaped === path ? "" : "\\"}${sha256}  ${escaped}`);
}
