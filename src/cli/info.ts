import type { InfoReport, Json } from "../format/mod.ts";
import { exactInfoOf, infoOf, type OpenedImage } from "../image/mod.ts";
import { infoText, qemuJson } from "../report/mod.ts";
import { chainNames, eachImage, mustOpen, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { print } from "./output.ts";
import { ImageError } from "./verb.ts";

/** The text of `info --help`. */
export const help = `diskproof info IMAGE… [options]

Prints what qemu-img info prints. Only the header is read; files that the image refers to are
not opened. The fields are those of qemu-img 11.1, without the list of child nodes.

  --json               JSON, byte for byte as qemu-img prints it; also --output json
  --backing-chain      print the backing files too, as far as they may be opened
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 an image does not open, 2 a file cannot be read.

Example

  diskproof info --output json disk.qcow2
`;

/** `info`: what qemu-img's verb of the same name prints. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, { ...OPENING, flags: ["backing-chain", "json"] });
  const json = options.flag("json");
  let printed = 0;
  return eachImage(options.positional, (path) => {
    // JSON is Unicode, as qemu-img's is; in text, the bytes of names are shown.
    const read = json ? infoOf : exactInfoOf;
    const infos = options.flag("backing-chain")
      ? chainInfos(path, options, read)
      : one(path, options, read);
    if (printed++ > 0 && !json) print("");
    print(json ? jsonOf(infos, options) : infos.map(infoText).join("\n\n"));
    return 0;
  });
}

function jsonOf(infos: readonly InfoReport[], options: Options): string {
  const [first] = infos;
  return qemuJson((options.flag("backing-chain") ? infos : first) as Json);
}

type Reader = (image: OpenedImage) => InfoReport;

function one(path: string, options: Options, read: Reader): InfoReport[] {
  const image = openNamed(path, options, { alone: true });
  try {
    return [infoNamed(image, path, read)];
  } finally {
    image.close();
  }
}

function chainInfos(path: string, options: Options, read: Reader): InfoReport[] {
  const image = openNamed(path, options);
  try {
    const infos: InfoReport[] = [];
    const names = new Set<string>();
    let at: OpenedImage | undefined = image;
    for (const name of chainNames(image, path)) {
      if (at === undefined) break;
      // qemu-img goes by the names, and calls an image a loop that has itself as a raw backing file.
      if (names.has(name)) {
        throw notFollowed(path, `the chain is a loop: '${name}' is in it already`);
      }
      names.add(name);
      const info = infoNamed(at, name, read);
      infos.push(info);
      if (info["backing-filename"] !== undefined && at.backing === undefined) {
        throw notFollowed(name, whyMissing(at));
      }
      at = at.backing;
    }
    return infos;
  } finally {
    image.close();
  }
}

/** `info` of an image, with the name that the user or its overlay gives it. */
function infoNamed(image: OpenedImage, name: string, read: Reader): InfoReport {
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
