import { FileSource } from "../bytes/mod.ts";
import type { Layer } from "../format/mod.ts";
import { type OpenedImage, pieces } from "../image/mod.ts";
import { OPENING, OPENING_HELP, openNamed, readableLayers, reading } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { unsupportedFormat } from "./reasons.ts";
import { passphraseFiles } from "./passphrases.ts";
import { MAX_SIZE_DEFAULT, mustNotExceed, sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";
import { type NewFile, Pauses, writeBlocks, writeFiles } from "./write_files.ts";

/** The text of `convert --help`. */
export const help = `diskproof convert IMAGE OUT [options]

Writes the content that a guest sees to a raw file, with holes for zeros. OUT is replaced only
when the new file is complete; after an error it is unchanged. Content of an encrypted image is
readable only for its owner (mode 600); other content follows the umask.

  --snapshot NAME      the content of an internal snapshot, by id or name
  -O, --output-format NAME
                       raw, the only format that is written
  --max-size SIZE      reject an image with more content than this (default 1T)
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image does not open or cannot be read, 2 a file cannot be used,
or no given passphrase opens it.

Example

  diskproof convert disk.qcow2 disk.raw
`;

/** `convert`: guest content to a raw file. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    lists: OPENING.lists,
    values: [...OPENING.values, "snapshot", "output-format", "max-size"],
    letters: { ...OPENING.letters, O: "output-format" },
  });
  const [path, out, ...others] = options.positional;
  if (path === undefined || out === undefined || others.length > 0) {
    throw new UsageError("name an image and a file to write (see --help)");
  }
  const format = options.value("output-format") ?? "raw";
  if (format !== "raw") throw new UsageError(unsupportedFormat(format, ["raw"]));
  const image = openNamed(path, options);
  try {
    const layers = readableLayers(image, options.value("snapshot"));
    const size = layers[0]?.virtualSize ?? 0;
    mustNotExceed(size, sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT, path);
    const reads = [...filesOf(image), ...otherFiles(options)];
    const files = { paths: [out], force: true, reads, secret: isDecrypted(image) };
    await writeFiles(files, async ([file]) => {
      await reading(path, () => writeContent(layers, size, file as NewFile));
    });
    return 0;
  } finally {
    image.close();
  }
}

/** The files that the content comes from. */
function filesOf(image: OpenedImage): string[] {
  const paths: string[] = [];
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    for (const source of [at.source, at.header, at.layer?.dataFileSource]) {
      if (source instanceof FileSource) paths.push(source.path);
    }
  }
  return paths;
}

/** The files that the options name. */
function otherFiles(options: Options): string[] {
  const header = options.value("header");
  return [...passphraseFiles(options), ...header === undefined ? [] : [header]];
}

/** Whether an image of the chain was opened with a passphrase. */
function isDecrypted(image: OpenedImage): boolean {
  return image.layer?.unlocked === true ||
    image.backing !== undefined && isDecrypted(image.backing);
}

async function writeContent(
  layers: readonly Layer[],
  size: number,
  file: NewFile,
): Promise<void> {
  file.setLength(size);
  const pauses = new Pauses();
  for (const { start, bytes } of pieces(layers, { from: 0, to: size })) {
    if (pauses.due) await pauses.pause();
    if (bytes !== undefined) writeBlocks(file, { offset: start, bytes });
  }
}
