import { FileSource } from "../bytes/mod.ts";
import { Luks1Error } from "../luks1/mod.ts";
import {
  backingSize,
  contentOf,
  type CreatedPart,
  type CreatedSizes,
  createImage,
  type Creation,
  resolveName,
} from "../image/create/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { creationOf, FORMATS, type Wanted } from "./create_formats.ts";
import { ITERATIONS_DEFAULT } from "./create_luks.ts";
import { FormatOptions } from "./create_options.ts";
import { type Options, parseOptions } from "./options.ts";
import { givenPassphrases, passphraseFiles, PASSPHRASES, PASSPHRASES_HELP } from "./passphrases.ts";
import { parseSize } from "./sizes.ts";
import { UsageError, type Verb } from "./verb.ts";
import { type NewFile, Pauses, writeFiles } from "./write_files.ts";

const help = `diskproof create FILE [SIZE] [options]

Makes an image. SIZE is in bytes or has a suffix, as 10M; without it, the image is as large
as its content, or as its backing file. FILE appears when it is complete.

  -f, --format NAME    raw (default), qcow, qcow2 or luks
  -o, --options LIST   options of the format, NAME=VALUE,… (may be repeated)
  --from RAWFILE       fills it with the content of a raw file
  -c, --compress       compresses the content (qcow and qcow2 without encryption)
  -b, --backing FILE   names a backing file, relative to the folder of the image
  -F, --backing-format NAME
                       the format of the backing file, which goes with -b
  -u, --unsafe         does not look at the backing file
  --header FILE        writes the LUKS header into a file of its own, and FILE is the payload
${PASSPHRASES_HELP}
  --force              replaces files that are there
  --help               this text

Options for -o, as qemu-img has them:

  qcow2      compat cluster_size refcount_bits lazy_refcounts extended_l2 compression_type
             backing_file backing_fmt data_file data_file_raw encrypt.format=luks|aes,
             and those of luks with encrypt. in front
  qcow       backing_file backing_fmt encrypt.format=aes
  luks       cipher-alg cipher-mode ivgen-alg ivgen-hash-alg hash-alg detached-header, or as
             for cryptsetup cipher key-size hash; and iterations (default ${ITERATIONS_DEFAULT})
             digest-iterations uuid

Each passphrase that is given gets a key slot. Without --from, the payload of a LUKS volume is
a hole, and what a guest sees of it is noise. The files of an encrypted image are for their
owner alone (mode 600), those of others as the umask has it.

Exit status: 0, 2 options do not go together or a file cannot be used.

Example

  diskproof create -f luks --passphrase-file pw -o cipher=aes-xts-plain64 disk.luks 10M
  diskproof create -f qcow2 --passphrase-file pw -o encrypt.format=luks --from raw new.qcow2
`;

/** `create`: a new image of any kind. */
export const createVerb: Verb = {
  name: "create",
  says: "make an image of any format, encrypted or not",
  help,
  needs: ["write"],
  run: async (args) => {
    const options = parseOptions(args, {
      flags: ["compress", "force", "unsafe"],
      values: ["format", "from", "backing", "backing-format", "header"],
      lists: ["options", ...PASSPHRASES.lists],
      letters: {
        ...{ f: "format", o: "options", c: "compress" },
        ...{ b: "backing", F: "backing-format", u: "unsafe" },
      },
    });
    const [path, size, ...others] = options.positional;
    if (path === undefined || others.length > 0) {
      throw new UsageError("Cannot create: name a file to write, and its size (--help says more)");
    }
    const from = openFrom(options.value("from"));
    try {
      await create({ path, size, from, options });
      return 0;
    } finally {
      from?.close();
    }
  },
};

interface Command {
  readonly path: string;
  readonly size: string | undefined;
  readonly from: FileSource | undefined;
  readonly options: Options;
}

async function create({ path, size: text, from, options }: Command): Promise<void> {
  const name = options.value("format") ?? "raw";
  if (!isFormat(name)) {
    const known = Object.keys(FORMATS).join(", ");
    throw new UsageError(`Cannot create: --format takes one of ${known}, not '${name}'`);
  }
  const format = new FormatOptions(options.list("options"), { name, options: FORMATS[name] });
  const header = headerOf(options, format);
  const backing = backingOf(options, format);
  const backed = backing && backingBytes(path, { backing, options });
  const size = sizeOf(text, { from, backed });
  const wanted: Wanted = {
    options: format,
    size,
    passphrases: givenPassphrases(options),
    compressed: options.flag("compress"),
    detached: header !== undefined,
    ...(from === undefined ? {} : { content: contentOf(from, size) }),
    ...(backing === undefined ? {} : { backing }),
  };
  const parts = refusing(path, () => createImage(creationOf(name, wanted)));
  const dataFile = format.text("data_file");
  const files = new Map<CreatedPart["file"], string>();
  if (header !== undefined) files.set("header", header);
  if (dataFile !== undefined) files.set("data", dataFile);
  files.set("image", path);
  const reads = [
    ...[from?.path, backing && resolveName(path, backing.name)].filter((read) =>
      read !== undefined
    ),
    ...passphraseFiles(options),
  ];
  // No image takes a passphrase but one that is encrypted.
  const secret = wanted.passphrases.length > 0;
  const target = { paths: [...files.values()], force: options.flag("force"), reads, secret };
  await writeFiles(target, (written) => {
    const names = [...files.keys()];
    return writeParts(path, parts, (file) => written[names.indexOf(file)]);
  });
}

function isFormat(name: string): name is Creation["format"] {
  return Object.hasOwn(FORMATS, name);
}

function openFrom(path: string | undefined): FileSource | undefined {
  if (path === undefined) return undefined;
  try {
    return new FileSource(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${whyUnreadable(error)}`);
  }
}

/** The file for a detached header. */
function headerOf(options: Options, format: FormatOptions): string | undefined {
  const header = options.value("header");
  const isLuks = options.value("format") === "luks";
  const detached = format.flag("detached-header");
  if (header !== undefined && !isLuks) {
    throw new UsageError("Cannot create: --header goes with -f luks");
  }
  if (header === undefined && detached) {
    throw new UsageError("Cannot create: detached-header=on goes with --header FILE");
  }
  if (header !== undefined && format.text("detached-header") === "off") {
    throw new UsageError("Cannot create: --header and detached-header=off exclude each other");
  }
  return header;
}

function backingOf(options: Options, format: FormatOptions): Wanted["backing"] {
  const name = options.value("backing") ?? format.text("backing_file");
  const backingFormat = options.value("backing-format") ?? format.text("backing_fmt");
  if (name === undefined && backingFormat === undefined) return undefined;
  if (name === undefined || backingFormat === undefined) {
    throw new UsageError("Cannot create: a backing file (-b) and its format (-F) go together");
  }
  const image = options.value("format");
  if (image !== "qcow" && image !== "qcow2") {
    throw new UsageError(`Cannot create: an image of ${image ?? "raw"} has no backing file`);
  }
  return { name, format: backingFormat };
}

/** The size of a backing file; none where it is not to be looked at. */
function backingBytes(
  overlay: string,
  { backing, options }: { backing: NonNullable<Wanted["backing"]>; options: Options },
): number | undefined {
  if (options.flag("unsafe")) return undefined;
  const says = (reason: string): UsageError =>
    new UsageError(`Cannot use the backing file ${backing.name}: ${reason} (-u does not look)`);
  let size: number | string;
  try {
    size = backingSize(overlay, backing);
  } catch (error) {
    throw says(whyUnreadable(error));
  }
  if (typeof size === "string") throw says(size);
  return size;
}

const SECTOR = 512;

/** Bytes of the disk: whole sectors, in which all of the content has its place. */
function sizeOf(
  text: string | undefined,
  { from, backed }: { from: FileSource | undefined; backed: number | undefined },
): number {
  const asked = text === undefined ? undefined : parsePositionalSize(text);
  const size = asked ?? from?.size ?? backed;
  if (size === undefined) {
    throw new UsageError("Cannot create: give a size, or content with --from");
  }
  if (from !== undefined && size < from.size) {
    throw new UsageError(
      `Cannot create: ${from.path} has ${from.size} bytes, more than a disk of ${size}`,
    );
  }
  return Math.ceil(size / SECTOR) * SECTOR;
}

function parsePositionalSize(text: string): number {
  try {
    return parseSize(text, "size");
  } catch {
    throw new UsageError(`Cannot create: a size is such as 512, 64K or 1G, not '${text}'`);
  }
}

/** @throws {UsageError} in place of what says that options do not go together */
function refusing<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof Luks1Error)) throw error;
    const reason = error.message.replace(/^Cannot create (an image|a volume): /, "")
      .replace(/^Cannot/, "cannot");
    throw new UsageError(`Cannot create ${path}: ${reason}`);
  }
}

async function writeParts(
  path: string,
  parts: Generator<CreatedPart, CreatedSizes>,
  fileOf: (file: CreatedPart["file"]) => NewFile | undefined,
): Promise<void> {
  const pauses = new Pauses();
  for (;;) {
    const { done, value } = refusing(path, () => parts.next());
    if (done) {
      for (const [file, size] of Object.entries(value)) {
        fileOf(file as CreatedPart["file"])?.setLength(size);
      }
      return;
    }
    fileOf(value.file)?.write(value);
    if (pauses.due) await pauses.pause();
  }
}
