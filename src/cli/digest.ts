import { visible } from "../format/mod.ts";
import { DIGEST, type Digested, partOf } from "./digesting.ts";
import { digestsOf } from "./digests.ts";
import { PROGRESS_HELP, progressOf } from "./progress.ts";
import { eachImage, OPENING_HELP } from "./images.ts";
import { parseOptions } from "./options.ts";
import { jsonLine, print } from "./output.ts";

/** The text of `digest --help`. */
export const help = `diskproof digest IMAGE… [options]

Prints the SHA-256 of the content that a guest sees, one line per image, as sha256sum does.
It is the SHA-256 of the file that qemu-img convert -O raw writes. Several images are hashed side
by side, one on each processor.

  --snapshot NAME      the content of an internal snapshot, by id or name
  --range START:LENGTH a part of the content, in bytes or with a suffix, such as 1M:64K
  --max-size SIZE      reject an image with more content than this (default 1T)
${PROGRESS_HELP}
  --json               one JSON object per line: image, sha256, length
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 an image does not open or cannot be read, 2 a file cannot be read,
or no given passphrase opens it.

Example

  diskproof digest --snapshot before-upgrade disk.qcow2
`;

/** `digest`: SHA-256 of the guest content. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, DIGEST);
  partOf(options);
  const paths = options.positional;
  const progress = progressOf(options, paths.length);
  const digests = digestsOf(paths, { args, options, hashed: progress?.at.bind(progress) })
    .values();
  return eachImage(paths, async (path) => {
    try {
      const { sha256, length } = await (digests.next().value as () => Promise<Digested>)();
      progress?.clear();
      print(options.flag("json") ? jsonLine({ image: path, sha256, length }) : line(path, sha256));
    } catch (error) {
      progress?.clear();
      throw error;
    }
    return 0;
  });
}

/**
 * A line as sha256sum prints it: it starts with a backslash if the name is escaped. Other control
 * characters, which sha256sum prints unchanged, are escaped as everywhere else.
 */
function line(path: string, sha256: string): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return visible(`${escaped === path ? "" : "\\"}${sha256}  ${escaped}`);
}
