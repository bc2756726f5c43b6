import { FileSource } from "../bytes/mod.ts";
import { EditError } from "../format/mod.ts";
import type { EditedImage } from "../image/edit/mod.ts";
import { changing, type Editable } from "./edits.ts";
import { filesOf, OPENING, OPENING_HELP } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { readsStdin } from "./passphrases.ts";
import { whyUnreadable } from "./reasons.ts";
import { parseSize, sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";
import { Pauses } from "./write_files.ts";

/** The text of `write --help`. */
export const help = `diskproof write IMAGE --offset N [FILE] [options]

Writes bytes to the disk that a guest sees, in place. FILE has the bytes; - is standard input.
Only IMAGE changes, and its external data file; backing files do not.

  --offset N           the first byte of the disk that changes, such as 512, 64K or 1G
  --length N           the number of bytes (default: the size of FILE)
  --zero               write zeros, without FILE
  --unmap              with --zero: clusters may give up their place in the file
  --discard            give up the content, without FILE; what it reads as depends on the format
  --compressed         write whole clusters compressed
${OPENING_HELP}
  --help               this text

Whenever writing stops, also through a crash or a power loss, the image opens, and each sector
of the disk (in a LUKS2 volume, of the size that its header says) has its old bytes or the new
ones. A file that another diskproof writes to is locked; nothing stops QEMU, which uses other
locks.

Exit status: 0 success, 1 the image cannot be changed, 2 a file cannot be used, or no given
passphrase opens it.

Examples

  diskproof write disk.qcow --offset 1M boot.bin
  diskproof write disk.luks --passphrase-file key --offset 0 --length 64K --zero
`;

/** Bytes that are read and written at a time, from a multiple of it on. */
const CHUNK = 2 ** 21;

/** `write`: changes content in place. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["zero", "unmap", "discard", "compressed"],
    lists: OPENING.lists,
    values: [...OPENING.values, "offset", "length"],
    letters: OPENING.letters,
  });
  const [path, file, ...others] = options.positional;
  if (path === undefined || others.length > 0) {
    throw new UsageError("name an image and a file with the bytes (see --help)");
  }
  const repeated = ["offset", "length"].find((name) => options.list(name).length > 1);
  if (repeated !== undefined) throw new UsageError(`option --${repeated} is given twice`);
  const given = options.value("offset");
  if (given === undefined) throw new UsageError("write requires --offset");
  const range = { offset: parseSize(given, "offset"), length: sizeOption(options, "length") };
  const change = changeOf(options, file, range);
  await changing(path, options, change);
  return 0;
}

interface Range {
  readonly offset: number;
  readonly length: number | undefined;
}

type Change = (image: Editable) => void | Promise<void>;

function changeOf(options: Options, file: string | undefined, range: Range): Change {
  const [zero, discard, compressed] = ["zero", "discard", "compressed"].map(options.flag);
  if ([zero, discard, compressed].filter((given) => given === true).length > 1) {
    throw new UsageError("give one of --zero, --discard and --compressed");
  }
  const unmap = options.flag("unmap");
  if (unmap && zero !== true) throw new UsageError("--unmap requires --zero");
  if (zero !== true && discard !== true) {
    if (file === undefined) throw new UsageError("name a file with the bytes, or - (see --help)");
    if (file === "-" && readsStdin(options)) {
      throw new UsageError("Cannot read standard input twice: it holds the passphrase");
    }
    return (image) => writeFile(file, image, { range, compressed: compressed === true });
  }
  const name = zero === true ? "--zero" : "--discard";
  if (file !== undefined) throw new UsageError(`${name} does not accept a file`);
  const { offset, length } = range;
  if (length === undefined) throw new UsageError(`${name} requires --length`);
  return ({ editor }) =>
    zero === true ? editor.writeZeroes(offset, length, { unmap }) : editor.discard(offset, length);
}

interface Writing {
  readonly range: Range;
  readonly compressed: boolean;
}

async function writeFile(
  file: string,
  image: Editable,
  { range, compressed }: Writing,
): Promise<void> {
  const { editor } = image;
  const { virtualSize, clusterSize } = editor.layer;
  const write = compressed ? editor.writeCompressed?.bind(editor) : editor.write.bind(editor);
  if (write === undefined) throw new EditError("The format does not support compression");
  const room = virtualSize - range.offset;
  using input = inputOf(file, image);
  const length = range.length ?? input.size;
  if (range.length !== undefined && input.size !== undefined && input.size < range.length) {
    throw new UsageError(`${file} has ${input.size} bytes, fewer than --length`);
  }
  if (room < 0 || length !== undefined && length > room) {
    throw new EditError(`The disk has ${virtualSize} bytes, and ends before the new bytes do`);
  }
  const end = range.offset + (length ?? 0);
  if (compressed && end !== virtualSize && end % clusterSize !== 0 && length !== undefined) {
    throw new EditError(`Only whole clusters of ${clusterSize} bytes are compressed`);
  }
  const pauses = new Pauses();
  for (let at = range.offset; length === undefined || at < range.offset + length;) {
    const most = Math.min(CHUNK - at % CHUNK, range.offset + (length ?? Infinity) - at);
    const bytes = input.next(most);
    if (bytes.length === 0) break;
    write(at, bytes);
    at += bytes.length;
    if (pauses.due) await pauses.pause();
  }
}

/** Bytes to write. */
interface Input extends Disposable {
  /** In bytes; not known of standard input. */
  readonly size: number | undefined;
  /** The next bytes, fewer only at the end. */
  next(length: number): Uint8Array;
}

function inputOf(file: string, image: EditedImage): Input {
  if (file === "-") return standardInput();
  const source = sourceOf(file);
  if (filesOf(image).some(({ identity }) => identity === source.identity)) {
    source.close();
    throw new UsageError(`Cannot write ${file}: it is a file of the image itself`);
  }
  let at = 0;
  return {
    size: source.size,
    next(length) {
      const bytes = source.read(at, Math.min(length, source.size - at));
      at += bytes.length;
      return bytes;
    },
    [Symbol.dispose]: () => source.close(),
  };
}

function sourceOf(file: string): FileSource {
  try {
    return new FileSource(file, { devices: true });
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${whyUnreadable(error)}`);
  }
}

function standardInput(): Input {
  const read = (target: Uint8Array): number => {
    try {
      return Deno.stdin.readSync(target) ?? 0;
    } catch (error) {
      throw new UsageError(`Cannot read standard input: ${whyUnreadable(error)}`);
    }
  };
  return {
    size: undefined,
    next(length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      for (let count = read(bytes); count > 0; count = read(bytes.subarray(done))) {
        done += count;
        if (done === length) break;
      }
      return bytes.subarray(0, done);
    },
    [Symbol.dispose]: () => {},
  };
}
