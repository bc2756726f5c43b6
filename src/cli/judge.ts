import { judgeImage, type JudgeOptions } from "../image/mod.ts";
import { eachImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { mustBeUnlocked } from "./locked.ts";
import { whyUnreadable } from "./reasons.ts";
import { type OptionNames, type Options, parseOptions } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { PROGRESS, PROGRESS_HELP, progressOf, watchOf } from "./progress.ts";
import { sizeOption } from "./sizes.ts";
import { spoolStandardInput, STDIN_HELP, STDIN_MAX } from "./standard_input.ts";
import { UsageError } from "./verb.ts";

/** The text of `judge --help`. */
export const help = `diskproof judge IMAGE… [options]

Prints one JSON object per line for each image: whether it is valid by its format, what public
qemu-img does with it, and every rule that it breaks, with the place.

  {"image":"disk.qcow2","format":"qcow2",
   "qemu":{"open":"accept","read":"ok","check":{"corruptions":0,"leaks":0,"check-errors":0}},
   "spec":{"verdict":"valid"},"findings":[]}

qemu.open is accept, reject or, where nothing but a passphrase is missing, needs-key; qemu.read is
ok or error, and unknown without a passphrase. Both are unknown where trying the passphrases
exceeds --max-iterations, where the format is not supported, and where the image refers to a file
that is not opened: a finding with the effect unknown says which, and why. For LUKS version 2,
cryptsetup.open says the same of cryptsetup. A finding about a missing passphrase comes last.
qemu.check is null where qemu-img check prints no counts. spec.verdict is valid, invalid,
implementation-defined or, for a format that is not supported, unknown. A finding has rule,
class, level, effect, offset, path and message.

  --files-from FILE    read more image names from FILE, one per line; - is standard input
  --digest             add "digest", the SHA-256 of the content; null if it cannot be read or has
                       more than --digest-max bytes: then "digest-reason" says which
  --digest-max SIZE    hash the content of no larger disk than this (default 16G); a disk counts
                       with its holes, because the SHA-256 of zeros has to be computed too
  --max-size SIZE      the former name of --digest-max
${PROGRESS_HELP}
${STDIN_HELP}
  --json               accepted, and changes nothing: the output is always JSON
${OPENING_HELP}
  --help               this text

Exit status: 0 all images were judged, whatever the verdict, 2 a file cannot be read or none of
the given passphrases opens an image. An image that stays locked is judged all the same, and
reported on standard error.

Example

  find . -name '*.qcow2' | diskproof judge --files-from - | jq -r .spec.verdict
`;

/** About ten seconds of SHA-256. */
const DIGEST_MAX_DEFAULT = 16 * 2 ** 30;

const NAMES = {
  ...OPENING,
  flags: ["digest", "json", PROGRESS],
  values: [...OPENING.values, "digest-max", "max-size", STDIN_MAX],
  lists: [...OPENING.lists, "files-from"],
} as const satisfies OptionNames;

/** Reads an image from standard input. */
export function prepare(args: string[]): void {
  spoolStandardInput(parseOptions(args, NAMES), ["files-from", "passphrase-file"]);
}

/** `judge`: the verdict on many images, for a program to read. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, NAMES);
  const listed = options.list("files-from").flatMap(namesIn);
  const paths = [...options.positional, ...listed];
  // An empty list is not a mistake.
  if (paths.length === 0 && options.list("files-from").length > 0) return Promise.resolve(0);
  const more = judgeOptions(options);
  const progress = progressOf(options, paths.length);
  return eachImage(paths, (path, index) => {
    const image = openNamed(path, options);
    try {
      const judgement = judgeImage(image, { ...more, ...watchOf(progress, image, index) });
      progress?.clear();
      print(jsonLine(judgement));
      const given = options.list("passphrase-file").length + options.list("passphrase").length;
      if (given > 0) mustBeUnlocked(image);
    } finally {
      progress?.clear();
      image.close();
    }
    return 0;
  });
}

function judgeOptions(options: Options): JudgeOptions {
  if (!options.flag("digest")) return {};
  const max = sizeOption(options, "digest-max") ?? sizeOption(options, "max-size");
  return { digestUpTo: max ?? DIGEST_MAX_DEFAULT };
}

/** The names in a list: one per line, or separated by NUL bytes if there are any. */
function namesIn(file: string): string[] {
  const text = textOf(file);
  return text.split(text.includes("\0") ? "\0" : "\n").filter((name) => name !== "");
}

function textOf(file: string): string {
  try {
    return file === "-" ? readStandardInput() : Deno.readTextFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read the list ${file}: ${whyUnreadable(error)}`);
  }
}

function readStandardInput(): string {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(65536);
  let text = "";
  for (let count = Deno.stdin.readSync(chunk); count !== null; count = Deno.stdin.readSync(chunk)) {
    text += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}
