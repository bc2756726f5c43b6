import { judgeImage, type JudgeOptions } from "../image/mod.ts";
import { eachImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { mustBeUnlocked } from "./locked.ts";
import { whyUnreadable } from "./reasons.ts";
import { type Options, parseOptions } from "./options.ts";
import { print } from "./output.ts";
import { MAX_SIZE_DEFAULT, sizeOption } from "./sizes.ts";
import { UsageError, type Verb } from "./verb.ts";

const help = `diskproof judge IMAGE… [options]

Prints a JSON object a line for each image: what the format says of it, what public qemu-img
does with it, and every rule that it breaks, with the place.

  {"image":"disk.qcow2","format":"qcow2",
   "qemu":{"open":"accept","read":"ok","check":{"corruptions":0,"leaks":0,"check-errors":0}},
   "spec":{"verdict":"valid"},"findings":[]}

qemu.open is accept or reject, qemu.read is ok or error, and both are unknown where trying
the passphrases takes more than --max-iterations. qemu.check is null where qemu-img check
gives no counts. spec.verdict is valid, invalid or implementation-defined. A finding
has rule, class, effect, offset, path and message.

  --files-from FILE    names of images in FILE as well, one a line; - is standard input
  --digest             add "digest", the SHA-256 of the content; null where it cannot be read
  --max-size SIZE      the longest content of which there is a digest (default 1T)
${OPENING_HELP}
  --help               this text

Exit status: 0 all images were judged, whatever the verdict, 2 a file cannot be read, or no
passphrase that was given opens an image. Such an image has a line on standard error; a file
that cannot be read has none here.

Example

  find corpus -name '*.qcow2' | diskproof judge --files-from - | jq -r .spec.verdict
`;

/** `judge`: the verdict on many images, for a program to read. */
export const judgeVerb: Verb = {
  name: "judge",
  says: "say in JSON what the format and qemu-img make of images",
  help,
  needs: [],
  run: (args) => {
    const options = parseOptions(args, {
      ...OPENING,
      flags: ["digest"],
      values: [...OPENING.values, "max-size"],
      lists: [...OPENING.lists, "files-from"],
    });
    const listed = options.list("files-from").flatMap(namesIn);
    const paths = [...options.positional, ...listed];
    // A list without names is a job without work, and no mistake.
    if (paths.length === 0 && options.list("files-from").length > 0) return Promise.resolve(0);
    const more = judgeOptions(options);
    return eachImage(paths, (path) => {
      const image = openNamed(path, options);
      try {
        print(JSON.stringify(judgeImage(image, more)));
        const given = options.list("passphrase-file").length + options.list("passphrase").length;
        if (given > 0) mustBeUnlocked(image);
      } finally {
        image.close();
      }
      return 0;
    });
  },
};

function judgeOptions(options: Options): JudgeOptions {
  const maxSize = sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT;
  return options.flag("digest") ? { digestUpTo: maxSize } : {};
}

/** The names in a list, each in a line of its own, or before a NUL where there are any. */
function namesIn(file: string): string[] {
  const text = textOf(file);
  return text.split(text.includes("\0") ? "\0" : "\n").filter((name) => name !== "");
}

function textOf(file: string): string {
  try {
    // Standard input has no name that every system knows.
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
