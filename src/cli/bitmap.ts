import { type BitmapEditor, type BitmapSummary, EditError } from "../format/mod.ts";
import { changing } from "./edits.ts";
import { mustOpen, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { didYouMean } from "./nearest.ts";
import { type Options, parseOptions } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { sizeOption } from "./sizes.ts";
import { ImageError, UsageError } from "./verb.ts";

/** The text of `bitmap --help`. */
export const help =
  `diskproof bitmap list|add|remove|enable|disable|clear|merge IMAGE [NAME [SOURCE]] [options]

Lists or changes the persistent bitmaps of a qcow2 image, as qemu-img bitmap does. A bitmap that
is enabled tracks which parts of the disk are written. No other program may use the image
meanwhile.

  list     print the bitmaps
  add      add the bitmap NAME, which is enabled and has no bits set
  remove   remove a bitmap
  enable   track writes
  disable  stop tracking writes
  clear    clear all bits
  merge    set the bits in NAME that are set in the bitmap SOURCE

  -g, --granularity SIZE
                       add: the size that one bit represents, a power of two from 512 to 2G
                       (default: the cluster size, but 4K to 64K)
  --disabled           add: do not track writes
  -b, --source-image FILE
                       merge: the image that has SOURCE (default IMAGE)
  --json               list: one JSON object for each bitmap; also --output json
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image does not open or does not allow the change, 2 a file cannot
be used.

Example

  diskproof bitmap add disk.qcow2 since-monday
`;

const ACTIONS = ["list", "add", "remove", "enable", "disable", "clear", "merge"] as const;
type Action = typeof ACTIONS[number];

/** `bitmap`: lists or changes persistent bitmaps. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...OPENING,
    flags: ["json", "disabled"],
    values: [...OPENING.values, "granularity", "source-image"],
    letters: { ...OPENING.letters, g: "granularity", b: "source-image" },
  });
  const { action, path, name, source } = requestOf(options);
  if (action === "list") list(path, options);
  else {
    const other = options.value("source-image");
    const ranges = other === undefined ? undefined : rangesIn(other, options, source);
    await changing(path, options, ({ editor }) => {
      if (editor.bitmaps === undefined) throw new ImageError(`${path}: the format has no bitmaps`);
      const merged = () => ranges ?? rangesOf(editor.layer.bitmaps, source);
      change(editor.bitmaps, { action, name, options, merged });
    });
  }
  return 0;
}

function requestOf(
  options: Options,
): { action: Action; path: string; name: string; source: string } {
  const [word = "", path, ...names] = options.positional;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(`name an action: ${ACTIONS.join(", ")}${didYouMean(word, ACTIONS)}`);
  }
  if (path === undefined) throw new UsageError("name an image (see --help)");
  const count = action === "list" ? 0 : action === "merge" ? 2 : 1;
  if (names.length !== count) {
    const says = ["accepts no name", "requires the name of a bitmap", "requires two names"][count];
    throw new UsageError(`${action} ${says} (see --help)`);
  }
  const [name = "", source = ""] = names;
  return { action, path, name, source };
}

type Ranges = Iterable<{ readonly start: number; readonly length: number }>;

function change(
  bitmaps: BitmapEditor,
  { action, name, options, merged }: {
    action: Action;
    name: string;
    options: Options;
    merged(): Ranges;
  },
): void {
  if (action === "merge") return bitmaps.merge(name, merged());
  if (action === "add") {
    const granularity = sizeOption(options, "granularity");
    const enabled = !options.flag("disabled");
    return bitmaps.add(name, { ...(granularity === undefined ? {} : { granularity }), enabled });
  }
  if (action !== "list") bitmaps[action](name);
}

/** @throws {EditError} if there is no such bitmap, or its bits mean nothing */
function rangesOf(bitmaps: readonly BitmapSummary[] | undefined, name: string): Ranges {
  const found = bitmaps?.find((bitmap) => bitmap.name === name);
  if (found === undefined) throw new EditError(`There is no bitmap '${name}'`);
  if (found.inUse) throw new EditError(`The bitmap '${name}' was not saved, and cannot be used`);
  return [...found.ranges()];
}

/** The ranges of a bitmap of another image. */
function rangesIn(path: string, options: Options, name: string): Ranges {
  const image = openNamed(path, options, { alone: true });
  try {
    return rangesOf(mustOpen(image, "info").bitmaps, name);
  } catch (error) {
    if (error instanceof EditError) throw new ImageError(`Cannot read ${path}: ${error.message}`);
    throw error;
  } finally {
    image.close();
  }
}

function list(path: string, options: Options): void {
  const image = openNamed(path, options, { alone: true });
  try {
    for (const bitmap of mustOpen(image, "info").bitmaps ?? []) {
      const { name, granularity, auto, inUse } = bitmap;
      const count = inUse ? 0 : [...bitmap.ranges()].reduce((sum, { length }) => sum + length, 0);
      if (options.flag("json")) print(jsonLine({ name, granularity, auto, inUse, bytes: count }));
      else {
        const state = inUse ? "not saved" : `${auto ? "enabled" : "disabled"}, ${count} bytes set`;
        print(`${name}: granularity ${granularity}, ${state}`);
      }
    }
  } finally {
    image.close();
  }
}
