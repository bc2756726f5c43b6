import type { DiskContent, ImageRequest } from "../format/mod.ts";
import { contentOfLayers } from "../image/create/mod.ts";
import type { OpenedImage } from "../image/mod.ts";
import { CREATED, createdFormat, formatOptions } from "./create.ts";
import { filesOf, OPENING, OPENING_HELP, openNamed, readableLayers, reading } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { writeImage } from "./new_image.ts";
import { givenPassphrases, passphraseFiles, PASSPHRASES } from "./passphrases.ts";
import { PROGRESS, type Progress, PROGRESS_HELP, progressOf } from "./progress.ts";
import { random } from "./random.ts";
import { MAX_SIZE_DEFAULT, mustNotExceed, sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** The text of `convert --help`. */
export const help = `diskproof convert IMAGE OUT [options]

Writes the content that a guest sees to a new file: raw, with holes for zeros, or an image of
another format. OUT is replaced only when the new file is complete; after an error it is
unchanged. Content of an encrypted image is readable only for its owner (mode 600); other
content follows the umask.

  --snapshot NAME      the content of an internal snapshot, by id or name
  -O, --output-format NAME
                       the format of OUT: ${CREATED.join(", ")} (default raw); also --to
  -o, --options LIST   options of that format, as for create (may be repeated)
  -c, --compress       compress the content (qcow and qcow2 without encryption)
  --new-passphrase-file FILE
                       a passphrase of an encrypted OUT (may be repeated)
  --new-passphrase TEXT
                       the same as text; every user can see it in the process list
  --max-size SIZE      reject an image with more content than this (default 1T)
${PROGRESS_HELP}
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image does not open or cannot be read, 2 a file cannot be used,
or no given passphrase opens it.

Examples

  diskproof convert disk.qcow2 disk.raw
  diskproof convert --to qcow2 -c -o compression_type=zstd disk.raw disk.qcow2
`;

/** `convert`: guest content to a new file. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["compress", PROGRESS],
    lists: [
      ...OPENING.lists,
      ...PASSPHRASES.lists.map((name) => `new-${name}`),
      "options",
    ],
    values: [...OPENING.values, "snapshot", "output-format", "to", "max-size"],
    letters: { ...OPENING.letters, O: "output-format", o: "options", c: "compress" },
  });
  const [path, out, ...others] = options.positional;
  if (path === undefined || out === undefined || others.length > 0) {
    throw new UsageError("name an image and a file to write (see --help)");
  }
  const format = createdFormat(options.value("to") ?? options.value("output-format") ?? "raw");
  const settings = formatOptions(format, options);
  const image = openNamed(path, options);
  const progress = progressOf(options);
  try {
    const layers = readableLayers(image, options.value("snapshot"));
    const size = layers[0]?.virtualSize ?? 0;
    mustNotExceed(size, sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT, path);
    const passphrases = givenPassphrases(options, "new-");
    const files = {
      force: true,
      reads: [...filesOf(image).map((file) => file.path), ...otherFiles(options)],
      secret: isDecrypted(image) || passphrases.length > 0,
    };
    const request: ImageRequest = {
      ...{ options: settings, size, passphrases, random },
      compressed: options.flag("compress"),
      detached: false,
      content: watched(contentOfLayers(layers), size, progress),
    };
    await reading(path, () => writeImage({ ...files, path: out, format, request }));
    return 0;
  } finally {
    progress?.clear();
    image.close();
  }
}

/** Content that is on its way. */
function watched(content: DiskContent, size: number, progress: Progress | undefined): DiskContent {
  if (progress === undefined) return content;
  return function* (unit, most) {
    for (const block of content(unit, most)) {
      yield block;
      progress.at(0, Math.min(size, block.offset + (block.bytes?.length ?? unit)), size);
    }
  };
}

/** The files that the options name. */
function otherFiles(options: Options): string[] {
  const header = options.value("header");
  const keys = [...passphraseFiles(options), ...passphraseFiles(options, "new-")];
  return [...keys, ...header === undefined ? [] : [header]];
}

/** Whether an image of the chain was opened with a passphrase. */
function isDecrypted(image: OpenedImage): boolean {
  return image.layer?.unlocked === true ||
    image.backing !== undefined && isDecrypted(image.backing);
}
