import { damageIn, type OpenedImage } from "../image/mod.ts";
import {
  checkReport,
  checkStatus,
  checkText,
  damageJson,
  damageLines,
  qemuJson,
} from "../report/mod.ts";
import { mustOpen, onlyImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { complain, print } from "./output.ts";
import { complainOf, FAILED } from "./program.ts";
import { UsageError } from "./verb.ts";

/** The text of `check --help`. */
export const help = `diskproof check IMAGE [options]

Checks the refcounts and tables of an image as qemu-img check does. Nothing is repaired. Above
what qemu-img prints, the text has a summary of the damage: what happened to the image, which
ranges of the disk are affected, and how much of the content.

  --damage             add "damage" to the JSON, which qemu-img does not print
  --json               JSON as qemu-img prints it; also --output json
${OPENING_HELP}
  --help               this text

Exit status, the same as qemu-img's: 0 no errors, 1 the check could not be completed,
2 corruptions, 3 only leaks, 63 the format has no refcounts.

Example

  diskproof check --output json disk.qcow2
`;

/** No checker for the format. */
const NO_CHECKER = 63;

/** `check`: what qemu-img's verb of the same name prints, with its exit status. */
export function run(args: string[]): Promise<number> {
  return Promise.resolve(check(args));
}

function check(args: readonly string[]): number {
  try {
    const options = parseOptions(args, { ...OPENING, flags: ["damage", "json"] });
    const image = openNamed(onlyImage(options), options);
    try {
      return checkImage(image, options);
    } finally {
      image.close();
    }
  } catch (error) {
    // Exit status 2 means corruptions here.
    if (error instanceof UsageError) return Math.min(complainOf(error), FAILED);
    throw error;
  }
}

function checkImage(image: OpenedImage, options: Options): number {
  const layer = mustOpen(image, "check");
  const { path: filename, format, findings } = image;
  if (layer.check === undefined) {
    complain(`Cannot check ${filename}: the format ${format} has no refcounts`);
    return NO_CHECKER;
  }
  const counts = layer.check(findings);
  const found = findings.list();
  if (counts === undefined) {
    const reason = found.findLast((finding) => finding.effect === "check-error") ?? found.at(-1);
    complain(`Cannot check ${filename}: ${reason?.message} (${reason?.rule} at ${reason?.path})`);
    return FAILED;
  }
  const damage = checkStatus(counts) === 0 ? undefined : damageIn(image);
  if (options.flag("json")) {
    const report = checkReport({ filename, format }, counts);
    const more = damage === undefined ? null : damageJson(damage);
    print(qemuJson(options.flag("damage") ? { ...report, damage: more } : report));
  } else {
    for (const line of damage === undefined ? [] : damageLines(damage)) print(`Damage: ${line}`);
    print(checkText(counts, found));
  }
  return checkStatus(counts);
}
