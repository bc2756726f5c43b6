import type { AmendOptions } from "../format/mod.ts";
import { formatNamed } from "../formats.ts";
import { FormatOptions } from "./create_options.ts";
import { changing } from "./edits.ts";
import { onlyImage, OPENING, OPENING_HELP } from "./images.ts";
import { parseOptions } from "./options.ts";
import { ImageError, UsageError } from "./verb.ts";

/** The text of `amend --help`. */
export const help = `diskproof amend IMAGE -o LIST [options]

Changes properties of a qcow2 image in place, as qemu-img amend does. The content of the disk does
not change. No other program may use the image meanwhile.

  -o, --options LIST   options to change, NAME=VALUE,… (may be repeated)
${OPENING_HELP}
  --help               this text

Options for -o, with the names of qemu-img:

  compat=0.10|1.1      the version of the format, 2 or 3; version 2 has no zero clusters: they
                       become clusters of zeros over a backing file, and disappear otherwise
  refcount_bits=N      the width of refcounts: 1, 2, 4, 8, 16, 32 or 64 bits
  lazy_refcounts=on|off
                       whether refcounts may be updated later than the content
  data_file=FILE       the name of the external data file; the file itself is not changed
  data_file_raw=off    the data file is no longer a raw image of the disk
  size=SIZE            the size of the disk, larger or smaller

Use "key" to change the passphrases of LUKS, and "rebase -u" to change the backing file.

Exit status: 0 success, 1 the image does not open or does not allow the change, 2 the command line
or a file cannot be used.

Example

  diskproof amend disk.qcow2 -o compat=1.1,lazy_refcounts=on
`;

const NAMES = ["compat", "refcount_bits", "lazy_refcounts", "data_file", "data_file_raw", "size"];
const VERSIONS: Readonly<Record<string, 2 | 3>> = { "0.10": 2, "1.1": 3, v2: 2, v3: 3 };

/** Options of qemu-img amend for the key slots of LUKS. */
const KEY_OPTION = /(^|,)(encrypt[.])?(state|new-secret|old-secret|keyslot|iter-time)=/;

/** `amend`: changes properties of an image. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...OPENING,
    lists: [...OPENING.lists, "options"],
    letters: { ...OPENING.letters, o: "options" },
  });
  const path = onlyImage(options);
  // The options of create are known, so that the message can say that an image keeps them.
  const fixed = (formatNamed("qcow2")?.create?.options ?? []).filter((name) =>
    !NAMES.includes(name)
  );
  if (options.list("options").some((list) => KEY_OPTION.test(list))) {
    throw new UsageError("amend does not change key slots (use key add, key change or key erase)");
  }
  const changes = new FormatOptions(options.list("options"), {
    name: "qcow2",
    options: [...NAMES, ...fixed],
  });
  if (changes.given(["backing_file", "backing_fmt"]) !== undefined) {
    throw new UsageError("amend does not change the backing file (use rebase -u)");
  }
  const kept = changes.given(fixed);
  if (kept !== undefined) throw new UsageError(`amend does not change ${kept} (see --help)`);
  if (changes.given(NAMES) === undefined) {
    throw new UsageError("name what to change with -o (see --help)");
  }
  const amendment = amendmentOf(changes);
  const size = changes.size("size");
  await changing(path, options, ({ editor }) => {
    if (editor.amend === undefined) throw new ImageError(`${path}: the format has no options`);
    // As in QEMU, a downgrade is last.
    const { version, ...rest } = amendment;
    const isLast = version === 2;
    editor.amend(isLast ? rest : amendment);
    if (size !== undefined) editor.resize?.(size, { shrink: true });
    if (isLast) editor.amend({ version });
  });
  return 0;
}

function amendmentOf(changes: FormatOptions): AmendOptions {
  const version = VERSIONS[changes.choice("compat", Object.keys(VERSIONS)) ?? ""];
  const refcountBits = changes.whole("refcount_bits");
  const dataFile = changes.text("data_file");
  const flag = (name: string): boolean | undefined =>
    changes.text(name) === undefined ? undefined : changes.flag(name);
  const lazyRefcounts = flag("lazy_refcounts");
  const dataFileRaw = flag("data_file_raw");
  return {
    ...(version === undefined ? {} : { version }),
    ...(refcountBits === undefined ? {} : { refcountBits }),
    ...(lazyRefcounts === undefined ? {} : { lazyRefcounts }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(dataFileRaw === undefined ? {} : { dataFileRaw }),
  };
}
