import { type OpenedImage } from "../image/mod.ts";
import { checkReport, checkStatus, checkText, qemuJson } from "../report/mod.ts";
import { asksForJson, mustOpen, onlyImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { parseOptions } from "./options.ts";
import { complain, print } from "./output.ts";
import { complainOf, FAILED } from "./program.ts";
import { UsageError, type Verb } from "./verb.ts";

const help = `diskproof check IMAGE [options]

Checks the refcounts and the tables of an image as qemu-img check does; it repairs nothing.

  --output human|json  text with every finding, or qemu-img's JSON (default human)
${OPENING_HELP}
  --help               this text

Exit status, as qemu-img's: 0 nothing found, 1 the check could not be done, 2 corruptions,
3 leaks alone, 63 the format keeps no refcounts.

Example

  diskproof check --output json disk.qcow2
`;

/** No checker for the format. */
const NO_CHECKER = 63;

/** `check`: what qemu-img's verb of the same name prints, with its exit status. */
export const checkVerb: Verb = {
  name: "check",
  says: "check an image, as qemu-img check does, with its exit status",
  help,
  needs: [],
  run: (args) => Promise.resolve(check(args)),
};

function check(args: readonly string[]): number {
  try {
    const options = parseOptions(args, { ...OPENING, values: [...OPENING.values, "output"] });
    const json = asksForJson(options);
    const image = openNamed(onlyImage(options), options);
    try {
      return checkImage(image, json);
    } finally {
      image.close();
    }
  } catch (error) {
    // Exit status 2 tells of corruptions here, and of nothing else.
    if (error instanceof UsageError) return Math.min(complainOf(error), FAILED);
    throw error;
  }
}

function checkImage(image: OpenedImage, json: boolean): number {
  const layer = mustOpen(image, "check");
  const { path: filename, format, findings } = image;
  if (layer.check === undefined) {
    complain(`Cannot check ${filename}: images of format ${format} have no refcounts`);
    return NO_CHECKER;
  }
  const counts = layer.check(findings);
  const found = findings.list();
  if (counts === undefined) {
    const reason = found.findLast((finding) => finding.effect === "check-error") ?? found.at(-1);
    complain(`Cannot check ${filename}: ${reason?.message} (${reason?.rule} at ${reason?.path})`);
    return FAILED;
  }
  print(json ? qemuJson(checkReport({ filename, format }, counts)) : checkText(counts, found));
  return checkStatus(counts);
}
