import type { InfoReport, Json } from "../format/mod.ts";
import { infoOf, type OpenedImage } from "../image/mod.ts";
import { infoText, qemuJson } from "../report/mod.ts";
import {
  asksForJson,
  chainNames,
  eachImage,
  mustOpen,
  OPENING,
  OPENING_HELP,
  openNamed,
} from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { print } from "./output.ts";
import { ImageError, type Verb } from "./verb.ts";

const help = `diskproof info IMAGE… [options]

Tells about images what qemu-img info tells: from the header alone, without a look at the
files that an image names. The fields are those of the newest version, 11.1, which says
\`detached header\` where older ones do not; the list of child nodes is left out.

  --output human|json  text, or JSON in qemu-img's own form, byte by byte (default human)
  --backing-chain      the backing files as well, as far as they may be opened
${OPENING_HELP}
  --help               this text

Exit status: 0, 1 an image does not open, 2 a file cannot be read.

Example

  diskproof info --output json disk.qcow2
`;

/** `info`: what qemu-img's verb of the same name prints. */
export const infoVerb: Verb = {
  name: "info",
  says: "tell about images, as qemu-img info does",
  help,
  needs: [],
  run: (args) => {
    const options = parseOptions(args, {
      ...OPENING,
      flags: ["backing-chain"],
      values: [...OPENING.values, "output"],
    });
    const json = asksForJson(options);
    let printed = 0;
    return eachImage(options.positional, (path) => {
      const infos = options.flag("backing-chain") ? chainInfos(path, options) : one(path, options);
      if (printed++ > 0 && !json) print("");
      print(json ? jsonOf(infos, options) : infos.map(infoText).join("\n\n"));
      return 0;
    });
  },
};

function jsonOf(infos: readonly InfoReport[], options: Options): string {
  const [first] = infos;
  return qemuJson((options.flag("backing-chain") ? infos : first) as Json);
}

function one(path: string, options: Options): InfoReport[] {
  const image = openNamed(path, options, { alone: true });
  try {
    return [toldOf(image, path)];
  } finally {
    image.close();
  }
}

function chainInfos(path: string, options: Options): InfoReport[] {
  const image = openNamed(path, options);
  try {
    const infos: InfoReport[] = [];
    let at: OpenedImage | undefined = image;
    for (const name of chainNames(image, path)) {
      if (at === undefined) break;
      const info = toldOf(at, name);
      infos.push(info);
      if (info["backing-filename"] !== undefined && at.backing === undefined) {
        throw notFollowed(at, name);
      }
      at = at.backing;
    }
    return infos;
  } finally {
    image.close();
  }
}

/** `info` of an image under the name that the user, or its overlay, calls it by. */
function toldOf(image: OpenedImage, name: string): InfoReport {
  mustOpen({ ...image, path: name }, "info");
  return infoOf({ ...image, path: name });
}

function notFollowed({ findings }: OpenedImage, name: string): ImageError {
  const found = findings.list().find(({ path }) => path === "/backing_name");
  return new ImageError(`Cannot follow the backing chain of ${name}: ${found?.message}`);
}
