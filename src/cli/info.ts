import type { LazyInfo, LazyJson } from "../format/mod.ts";
import { exactInfoOf, type OpenedImage, unicodeInfoOf } from "../image/mod.ts";
import { infoLines, qemuJsonPieces } from "../report/mod.ts";
import { chainNames, eachImage, mustOpen, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { type OptionNames, parseOptions } from "./options.ts";
import { Printer } from "./output.ts";
import { spoolStandardInput, STDIN_HELP, STDIN_MAX } from "./standard_input.ts";
import { ImageError } from "./verb.ts";

/** The text of `info --help`. */
export const help = `diskproof info IMAGE… [options]

Prints what qemu-img info prints. Only the header is read; files that the image refers to are
not opened. The fields are those of qemu-img 11.1, without the list of child nodes.

  --json               JSON, byte for byte as qemu-img prints it; also --output json
  --backing-chain      print the backing files too, as far as they may be opened
${STDIN_HELP}
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 an image does not open, 2 a file cannot be read.

Example

  diskproof info --output json disk.qcow2
`;

const NAMES = {
  ...OPENING,
  flags: ["backing-chain", "json"],
  values: [...OPENING.values, STDIN_MAX],
} as const satisfies OptionNames;

/** Reads an image from standard input. */
export function prepare(args: string[]): void {
  spoolStandardInput(parseOptions(args, NAMES), ["passphrase-file"]);
}

/** `info`: what qemu-img's verb of the same name prints. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, NAMES);
  const chain = options.flag("backing-chain");
  let printed = 0;
  return eachImage(options.positional, (path) => {
    const image = openNamed(path, options, { alone: !chain });
    try {
      // JSON contains Unicode text, as qemu-img's does. Text output shows the bytes of names.
      const read = options.flag("json") ? unicodeInfoOf : exactInfoOf;
      const infos = chain ? chainInfos(image, path, read) : [infoNamed(image, path, read)];
      if (options.flag("json")) printJson(infos, chain);
      else printText(infos, printed++ > 0);
    } finally {
      image.close();
    }
    return 0;
  });
}

function printJson(infos: readonly LazyInfo[], chain: boolean): void {
  const [first] = infos;
  const printer = new Printer();
  for (const piece of qemuJsonPieces((chain ? infos : first) as LazyJson)) printer.write(piece);
  printer.write("\n");
  printer.flush();
}

function printText(infos: readonly LazyInfo[], isNext: boolean): void {
  const printer = new Printer();
  for (const [index, info] of infos.entries()) {
    if (isNext || index > 0) printer.write("\n");
    for (const line of infoLines(info)) printer.write(`${line}\n`);
  }
  printer.flush();
}

type Reader = (image: OpenedImage) => LazyInfo;

function chainInfos(image: OpenedImage, path: string, read: Reader): LazyInfo[] {
  const infos: LazyInfo[] = [];
  const names = new Set<string>();
  let at: OpenedImage | undefined = image;
  for (const name of chainNames(image, path)) {
    if (at === undefined) break;
    // qemu-img compares names, so an image with itself as raw backing file is a loop too.
    if (names.has(name)) throw notFollowed(path, `the chain is a loop: '${name}' is in it already`);
    names.add(name);
    const info = infoNamed(at, name, read);
    infos.push(info);
    if (info["backing-filename"] !== undefined && at.backing === undefined) {
      throw notFollowed(name, whyMissing(at));
    }
    at = at.backing;
  }
  return infos;
}

/** `info` of an image, with the name from the command line or from its overlay. */
function infoNamed(image: OpenedImage, name: string, read: Reader): LazyInfo {
  mustOpen({ ...image, path: name }, "info");
  return read({ ...image, path: name });
}

function whyMissing({ findings }: OpenedImage): string {
  const about = findings.list().filter(({ path }) => path === "/backing_name");
  return about.find(({ rule }) => rule.startsWith("blk.backing."))?.message ?? "it is missing";
}

function notFollowed(name: string, reason: string): ImageError {
  return new ImageError(`Cannot follow the backing chain of ${name}: ${reason}`);
}
