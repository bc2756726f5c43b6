import { formatCalled, formatNames } from "../formats.ts";
import { type Admission, admissionOf, type AdmissionPolicy, ALLOWABLE } from "../image/mod.ts";
import { didYouMean } from "./nearest.ts";
import { eachImage, openNamed } from "./images.ts";
import { type OptionNames, type Options, parseOptions } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { FAILED } from "./program.ts";
import { unsupportedFormat } from "./reasons.ts";
import { sizeOption } from "./sizes.ts";
import { spoolStandardInput, STDIN_HELP, STDIN_MAX } from "./standard_input.ts";
import { visible } from "../format/mod.ts";
import { UsageError } from "./verb.ts";

/** The text of `admit --help`. */
export const help = `diskproof admit IMAGE… [options]

Decides whether a service can accept an image that a stranger uploads, and prints one line per
image: admitted with the format and the virtual size, or rejected with all reasons. The format is
always detected from the content, as qemu-img detects it. Only what an open reads is looked at:
the header, its extensions, and the tables of snapshots and bitmaps. No other file is opened.

An image is rejected for these reasons:

  format               its format is not admitted, or diskproof does not read it
  ambiguous            qemu-img treats it as raw, but it looks like an image of another format
  invalid              qemu-img rejects it: a malformed header, or an unknown feature
  backing              it has a backing file
  data-file            its content is in an external data file
  encryption           it is encrypted
  snapshots            it has internal snapshots, whose content is not part of the disk
  dirty                it was not closed: its refcounts may be stale
  corrupt              it is marked as corrupt, or --check finds corruptions
  virtual-size         its disk is empty, or larger than --max-virtual-size
  file-size            the file is larger than --max-file-size

  --allow LIST         do not reject for these reasons, separated by commas: ambiguous, backing,
                       data-file, encryption, snapshots, dirty, corrupt (may be repeated)
  -f, --format NAME    admit only this format: ${formatNames.join(", ")}
                       (may be repeated)
  --max-virtual-size SIZE
                       the largest disk (default 16T, the largest file of ext4)
  --max-file-size SIZE the largest file (default: any)
  --check              check refcounts and tables too, as check does; this reads all tables
${STDIN_HELP}
  --json               one JSON object per line: image, admitted, format, virtual-size,
                       file-size, reasons (reason, message, and rule where it is a finding)
  --help               this text

Exit status: 0 all images are admitted, 1 an image is rejected, 2 a file cannot be read.
A service accepts an image only on exit status 0.

Example

  diskproof admit --format qcow2 --max-virtual-size 100G upload.qcow2
  curl https://example.org/disk.qcow2 | diskproof admit -
`;

const VIRTUAL_SIZE_MAX = 2 ** 44;

/** For opening an image as it is: nothing that a user gives changes what it is. */
const AS_IT_IS: Options = {
  positional: [],
  flag: () => false,
  value: () => undefined,
  list: () => [],
};

const NAMES = {
  flags: ["check", "json"],
  values: ["max-virtual-size", "max-file-size", STDIN_MAX],
  lists: ["allow", "format"],
  letters: { f: "format" },
} as const satisfies OptionNames;

/** Reads an image from standard input. */
export function prepare(args: string[]): void {
  spoolStandardInput(parseOptions(args, NAMES));
}

/** `admit`: whether a service can accept an image. */
export function run(args: string[]): Promise<number> {
  const options = parseOptions(args, NAMES);
  const policy = policyOf(options);
  return eachImage(options.positional, (path) => {
    const image = openNamed(path, AS_IT_IS, { alone: true });
    try {
      const admission = admissionOf(image, policy);
      print(options.flag("json") ? jsonLine({ image: path, ...admission }) : line(path, admission));
      return admission.admitted ? 0 : FAILED;
    } finally {
      image.close();
    }
  });
}

function policyOf(options: Options): AdmissionPolicy {
  const formats = options.list("format").map((name) => {
    const format = formatCalled(name);
    if (format === undefined) throw new UsageError(unsupportedFormat(name, formatNames));
    return format.name;
  });
  const fileSizeMax = sizeOption(options, "max-file-size");
  return {
    ...(formats.length === 0 ? {} : { formats }),
    allow: options.list("allow").flatMap((list) => list.split(",")).map(allowed),
    virtualSizeMax: sizeOption(options, "max-virtual-size") ?? VIRTUAL_SIZE_MAX,
    ...(fileSizeMax === undefined ? {} : { fileSizeMax }),
    check: options.flag("check"),
  };
}

function allowed(text: string): (typeof ALLOWABLE)[number] {
  const found = ALLOWABLE.find((reason) => reason === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--allow does not know '${text}'${didYouMean(text, ALLOWABLE, "'", "'")} ` +
      `(known: ${ALLOWABLE.join(", ")})`,
  );
}

function line(path: string, { admitted, format, reasons, ...sizes }: Admission): string {
  const size = sizes["virtual-size"];
  const what = admitted
    ? `admitted: ${format}, ${BigInt(size ?? 0)} bytes`
    : `rejected: ${format}: ${
      reasons.map(({ reason, message, rule }) =>
        `${message} (${reason}${rule === undefined ? "" : `, ${rule}`})`
      ).join("; ")
    }`;
  return visible(`${path}: ${what}`);
}
