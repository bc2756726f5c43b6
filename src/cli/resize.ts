import { roundUp, SECTOR } from "../bytes/mod.ts";
import { EditError, type ResizeOptions } from "../format/mod.ts";
import { changing } from "./edits.ts";
import { OPENING, OPENING_HELP } from "./images.ts";
import { parseOptions } from "./options.ts";
import { parsePositionalSize } from "./sizes.ts";
import { UsageError } from "./verb.ts";

const PREALLOCATIONS = ["off", "metadata", "falloc", "full"] as const;

/** The text of `resize --help`. */
export const help = `diskproof resize IMAGE [+|-]SIZE [options]

Changes the size of the disk that a guest sees, in place. SIZE is in bytes or has a suffix, such
as 10G; with + or -, the disk grows or shrinks by that much. The size becomes whole sectors.

  --shrink             allow that the disk becomes smaller: content past its end is lost
  --preallocation KIND allocate the new part: ${PREALLOCATIONS.join(", ")} (default off)
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image cannot be resized, 2 a file cannot be used, or no given
passphrase opens it.

Example

  diskproof resize disk.raw +1G
`;

/** `resize`: changes the size of a disk. */
export async function run(args: string[]): Promise<number> {
  // A size with a minus is not an option.
  const less = args.find((arg) => /^-\d/.test(arg));
  const options = parseOptions(args.filter((arg) => arg !== less), {
    flags: ["shrink"],
    lists: OPENING.lists,
    values: [...OPENING.values, "preallocation"],
    letters: OPENING.letters,
  });
  const [path, size = less, ...others] = options.positional;
  if (path === undefined || size === undefined || others.length > 0 || less && size !== less) {
    throw new UsageError("name an image and its new size (see --help)");
  }
  const preallocation = preallocationOf(options.value("preallocation"));
  const shrink = options.flag("shrink");
  await changing(path, options, ({ editor }) => {
    const before = editor.layer.virtualSize;
    const to = sizeOf(size, before);
    if (to < before && preallocation !== "off") {
      throw new UsageError("--preallocation requires that the disk grows");
    }
    if (to < before && !shrink) {
      throw new EditError("The disk would become smaller, and lose content (--shrink allows it)");
    }
    if (editor.resize === undefined) {
      throw new EditError("Its format cannot change the size of the disk");
    }
    editor.resize(to, { shrink, preallocation });
  });
  return 0;
}

function preallocationOf(text: string | undefined): NonNullable<ResizeOptions["preallocation"]> {
  const kind = PREALLOCATIONS.find((known) => known === (text ?? "off"));
  if (kind !== undefined) return kind;
  throw new UsageError(`--preallocation must be ${PREALLOCATIONS.join(", ")}, not '${text}'`);
}

/** The new size in bytes: whole sectors. */
function sizeOf(text: string, before: number): number {
  const [, sign, digits = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const bytes = parsePositionalSize(digits);
  const size = sign === "+" ? before + bytes : sign === "-" ? before - bytes : bytes;
  if (size < 0) throw new UsageError(`the disk has ${before} bytes, fewer than ${digits}`);
  return roundUp(size, SECTOR);
}
