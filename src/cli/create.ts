import { FileSource, SECTOR } from "../bytes/mod.ts";
import type { Format, ImageRequest } from "../format/mod.ts";
import { formatCalled, formatNamed, formatNames } from "../formats.ts";
import { backingSize, contentOf, resolveName } from "../image/create/mod.ts";
import { ITERATIONS_DEFAULT } from "../luks1/mod.ts";
import { unsupportedFormat, whyUnreadable } from "./reasons.ts";
import { FormatOptions } from "./create_options.ts";
import { type Options, parseOptions } from "./options.ts";
import { givenPassphrases, passphraseFiles, PASSPHRASES, PASSPHRASES_HELP } from "./passphrases.ts";
import { writeImage } from "./new_image.ts";
import { random } from "./random.ts";
import { parsePositionalSize } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** The formats that can be created. */
export const CREATED: readonly string[] = formatNames.filter((name) =>
  formatNamed(name)?.create !== undefined
);

/** The text of `create --help`. */
export const help = `diskproof create FILE [SIZE] [options]

Creates an image. SIZE is in bytes or has a suffix, such as 10M; the default is the size of the
content or of the backing file. FILE is written completely or not at all.

  -f, --format NAME    the format: ${CREATED.join(", ")} (default raw)
  -o, --options LIST   options of the format, NAME=VALUE,… (may be repeated)
  --from RAWFILE       fill the image with the content of a raw file
  -c, --compress       compress the content (qcow and qcow2 without encryption)
  -b, --backing FILE   the backing file, relative to the folder of the image
  -F, --backing-format NAME
                       the format of the backing file; required with -b
  -u, --unsafe         do not open the backing file
  --header FILE        write the LUKS header to FILE and only the payload to the image
${PASSPHRASES_HELP}
  --force              replace existing files
  --help               this text

Options for -o, with the names of qemu-img:

  qcow2      compat cluster_size refcount_bits lazy_refcounts extended_l2 compression_type
             backing_file backing_fmt data_file data_file_raw
             preallocation=off|metadata|falloc|full encrypt.format=luks|aes,
             and the options of luks with the prefix encrypt.
  qcow       backing_file backing_fmt encrypt.format=aes
  luks       cipher-alg cipher-mode ivgen-alg ivgen-hash-alg hash-alg detached-header, or with
             the names of cryptsetup, cipher key-size hash; and iterations (default
             ${ITERATIONS_DEFAULT}) digest-iterations uuid

Each passphrase gets a key slot. Without --from, the payload of a LUKS volume is a hole, which
a guest sees as random bytes. The files of an encrypted image are readable only for their owner
(mode 600); other files follow the umask.

Exit status: 0 success, 2 the options conflict or a file cannot be used.

Examples

  diskproof create -f luks --passphrase-file pw -o cipher=aes-xts-plain64 disk.luks 10M
  diskproof create -f qcow2 --passphrase-file pw -o encrypt.format=luks --from raw new.qcow2
`;

/** `create`: a new image of any kind. */
export async function run(args: string[]): Promise<number> {
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
    throw new UsageError("name a file to write and its size (see --help)");
  }
  const from = openFrom(options.value("from"));
  try {
    await create({ path, size, from, options });
    return 0;
  } finally {
    from?.close();
  }
}

interface Command {
  readonly path: string;
  readonly size: string | undefined;
  readonly from: FileSource | undefined;
  readonly options: Options;
}

async function create({ path, size: text, from, options }: Command): Promise<void> {
  const known = createdFormat(options.value("format") ?? "raw");
  const format = formatOptions(known, options);
  const header = headerOf(options, { format, detaches: known.driver.detaches === true });
  const backing = backingOf(options, { format, known });
  const backed = backing && backingBytes(path, { backing, options });
  const size = sizeOf(text, { from, backed });
  const request: ImageRequest = {
    options: format,
    size,
    passphrases: givenPassphrases(options),
    compressed: options.flag("compress"),
    detached: header !== undefined,
    random,
    ...(from === undefined ? {} : { content: contentOf(from, size) }),
    ...(backing === undefined ? {} : { backing }),
  };
  if (request.compressed && from === undefined) {
    throw new UsageError("there is nothing to compress without --from");
  }
  const reads = [
    ...[from?.path, backing && resolveName(path, backing.name)].filter((read) =>
      read !== undefined
    ),
    ...passphraseFiles(options),
  ];
  await writeImage({
    ...{ path, format: known, request, reads, force: options.flag("force") },
    ...(header === undefined ? {} : { header }),
    // Passphrases are accepted only for encrypted images.
    secret: request.passphrases.length > 0,
  });
}

/** @throws {UsageError} for a format that is not known, or cannot be created */
export function createdFormat(called: string): Format {
  const format = formatCalled(called);
  if (format?.create !== undefined) return format;
  throw new UsageError(unsupportedFormat(called, CREATED));
}

/** The options of -o. */
export function formatOptions({ name, create }: Format, options: Options): FormatOptions {
  return new FormatOptions(options.list("options"), { name, options: create?.options ?? [] });
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
function headerOf(
  options: Options,
  { format, detaches }: { format: FormatOptions; detaches: boolean },
): string | undefined {
  const header = options.value("header");
  const detached = format.flag("detached-header");
  if (header !== undefined && !detaches) {
    throw new UsageError("--header requires -f luks");
  }
  if (header === undefined && detached) {
    throw new UsageError("detached-header=on requires --header FILE");
  }
  if (header !== undefined && format.text("detached-header") === "off") {
    throw new UsageError("--header and detached-header=off cannot be combined");
  }
  return header;
}

function backingOf(
  options: Options,
  { format, known }: { format: FormatOptions; known: Format },
): ImageRequest["backing"] {
  const name = options.value("backing") ?? format.text("backing_file");
  const backingFormat = options.value("backing-format") ?? format.text("backing_fmt");
  if (name === undefined && backingFormat === undefined) return undefined;
  if (name === undefined || backingFormat === undefined) {
    throw new UsageError("-b FILE and -F FORMAT are given together");
  }
  if (known.create?.backing !== true) {
    throw new UsageError(`the format ${known.name} does not support backing files`);
  }
  return { name, format: backingFormat };
}

/** The size of a backing file; `undefined` with --unsafe. */
function backingBytes(
  overlay: string,
  { backing, options }: { backing: NonNullable<ImageRequest["backing"]>; options: Options },
): number | undefined {
  if (options.flag("unsafe")) return undefined;
  const says = (reason: string): UsageError =>
    new UsageError(`Cannot use the backing file ${backing.name}: ${reason} (-u skips this check)`);
  let size: number | string;
  try {
    size = backingSize(overlay, backing);
  } catch (error) {
    throw says(whyUnreadable(error));
  }
  if (typeof size === "string") throw says(size);
  return size;
}

/** The size of the disk in bytes: whole sectors that have room for all of the content. */
function sizeOf(
  text: string | undefined,
  { from, backed }: { from: FileSource | undefined; backed: number | undefined },
): number {
  const asked = text === undefined ? undefined : parsePositionalSize(text);
  const size = asked ?? from?.size ?? backed;
  if (size === undefined) {
    throw new UsageError("give a size, or content with --from");
  }
  if (from !== undefined && size < from.size) {
    throw new UsageError(
      `${from.path} has ${from.size} bytes, more than a disk of ${size}`,
    );
  }
  return Math.ceil(size / SECTOR) * SECTOR;
}
