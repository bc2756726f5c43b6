import { EditError } from "../format/mod.ts";
import { resolveName } from "../image/create/mod.ts";
import { type EditedImage, keepContent } from "../image/edit/mod.ts";
import { imagesOf, type OpenedImage, openImage } from "../image/mod.ts";
import { formatNamed, formatNames } from "../formats.ts";
import { changing } from "./edits.ts";
import { onlyImage, openAs, OPENING, OPENING_HELP, readableLayers } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { unsupportedFormat } from "./reasons.ts";
import { UsageError } from "./verb.ts";
import { Pauses } from "./write_files.ts";

/** The text of `rebase --help`. */
export const help = `diskproof rebase IMAGE -b FILE -F FORMAT [options]
diskproof rebase IMAGE --no-backing [options]

Changes the backing file of a qcow2 image, as qemu-img rebase does. What the image shows of its old
backing file and not of the new one is copied into the image first.

  -b, --backing FILE   the new backing file, relative to the folder of the image
  -F, --backing-format NAME
                       the format of the new backing file
  --no-backing         no backing file: everything is copied
  -u, --unsafe         copy nothing and open no backing file: only the name changes
${OPENING_HELP}
  --help               this text

Wherever this stops, IMAGE shows the same content as before, except with --unsafe.

Exit status: 0 success, 1 an image cannot be changed or read, 2 a file cannot be used, or no given
passphrase opens it.

Example

  diskproof rebase overlay.qcow2 -b newer.raw -F raw
`;

/** `rebase`: another backing file. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["no-backing", "unsafe"],
    lists: OPENING.lists,
    values: [...OPENING.values, "backing", "backing-format"],
    letters: { ...OPENING.letters, b: "backing", F: "backing-format", u: "unsafe" },
  });
  const path = onlyImage(options);
  const to = newBacking(options);
  await changing(path, options, async (image) => {
    const { editor } = image;
    if (editor.setBacking === undefined) {
      throw new EditError("Its format cannot change the name of the backing file");
    }
    if (!options.flag("unsafe")) await copy(image, { path, to, options });
    editor.setBacking(to);
  }, options.flag("unsafe") ? { backing: false } : {});
  return 0;
}

interface Backing {
  readonly name: string;
  readonly format: string;
}

function newBacking(options: Options): Backing | undefined {
  const [name, format] = ["backing", "backing-format"].map(options.value);
  if (options.flag("no-backing") === (name !== undefined)) {
    throw new UsageError("give a backing file (-b), or --no-backing");
  }
  if ((name === undefined) !== (format === undefined)) {
    throw new UsageError("-b FILE and -F FORMAT are given together");
  }
  if (name === undefined || format === undefined) return undefined;
  if (formatNamed(format) === undefined) {
    throw new UsageError(unsupportedFormat(format, formatNames));
  }
  return { name, format };
}

interface Copying {
  readonly path: string;
  readonly to: Backing | undefined;
  readonly options: Options;
}

async function copy(image: EditedImage, { path, to, options }: Copying): Promise<void> {
  const other = to &&
    openAs(
      to.name,
      options,
      ({ header: _, ...how }) =>
        openImage(resolveName(path, to.name), { ...how, format: to.format }),
    );
  try {
    if (other !== undefined) {
      readableLayers(other);
      mustNotContain(other, image);
    }
    const pauses = new Pauses();
    for (const _ of keepContent(image, other)) if (pauses.due) await pauses.pause();
  } finally {
    other?.close();
  }
}

/** @throws {UsageError} if an image is in the chain that shall be below it */
function mustNotContain(chain: OpenedImage, { source }: EditedImage): void {
  for (const at of imagesOf(chain)) {
    if (!("identity" in at.source) || !("identity" in source)) continue;
    if (at.source.identity !== source.identity) continue;
    const what = at === chain ? "it is the image itself" : "the image is below it in its chain";
    throw new UsageError(`Cannot use the backing file ${chain.path}: ${what}`);
  }
}
