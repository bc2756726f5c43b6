import { FileStore } from "../bytes/mod.ts";
import { EditError, type Repaired } from "../format/mod.ts";
import { damageIn, type OpenedImage } from "../image/mod.ts";
import {
  checkReport,
  checkStatus,
  checkText,
  damageJson,
  damageLines,
  qemuJson,
} from "../report/mod.ts";
import { Findings } from "../rules/mod.ts";
import { mustOpen, onlyImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { complain, print } from "./output.ts";
import { complainOf, FAILED } from "./program.ts";
import { PROGRESS, PROGRESS_HELP, progressOf, watchOf } from "./progress.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** The text of `check --help`. */
export const help = `diskproof check IMAGE [options]

Checks the refcounts and tables of an image as qemu-img check does. Without -r, nothing is
repaired. Above what qemu-img prints, the text has a summary of the damage: what happened to the
image, which ranges of the disk are affected, and how much of the content.

  -r, --repair leaks|all
                       release leaked clusters, or correct all refcounts and copied flags; the
                       content of the disk does not change, and no other program may use the
                       image meanwhile
  --damage             add "damage" to the JSON, which qemu-img does not print
${PROGRESS_HELP}
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
    const options = parseOptions(args, {
      ...OPENING,
      flags: ["damage", "json", PROGRESS],
      values: [...OPENING.values, "repair"],
      letters: { ...OPENING.letters, r: "repair" },
    });
    const path = onlyImage(options);
    const fixed = repaired(path, options);
    if (fixed === "failed") return FAILED;
    const image = openNamed(path, options);
    try {
      return checkImage(image, options, fixed);
    } finally {
      image.close();
    }
  } catch (error) {
    // Exit status 2 means corruptions here.
    if (error instanceof UsageError) return Math.min(complainOf(error), FAILED);
    throw error;
  }
}

/** Repairs an image, if --repair says so. Returns how much was repaired. */
function repaired(path: string, options: Options): Repaired | "failed" {
  const repair = options.value("repair");
  if (repair === undefined) return { corruptions: 0, leaks: 0 };
  if (repair !== "leaks" && repair !== "all") {
    throw new UsageError(`--repair must be leaks or all, not '${repair}'`);
  }
  const image = openNamed(path, options, { alone: true });
  try {
    mustOpen(image, "check");
    const { editor } = image.definition;
    // For a format without refcounts, the check says so.
    if (editor?.repair === undefined) return { corruptions: 0, leaks: 0 };
    const store = storeOf(path);
    try {
      const leaksOnly = repair === "leaks";
      const done = editor.repair(store, new Findings(), { leaksOnly });
      if (done !== undefined) return done;
      const reason = leaksOnly
        ? "refcounts must be written again, which --repair all does"
        : "the references to clusters cannot be counted";
      complain(`Cannot repair ${path}: ${reason}`);
      return "failed";
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      complain(`Cannot repair ${path}: ${error.message}`);
      return "failed";
    } finally {
      store.close();
    }
  } finally {
    image.close();
  }
}

/** @throws {UsageError} when the file cannot be written to */
function storeOf(path: string): FileStore {
  try {
    return new FileStore(path);
  } catch (error) {
    throw new UsageError(`Cannot write to ${path}: ${whyUnreadable(error)}`);
  }
}

function printFixed({ corruptions, leaks }: Repaired): void {
  if (corruptions + leaks === 0) return;
  print("The following inconsistencies were found and repaired:\n");
  print(`    ${leaks} leaked clusters\n    ${corruptions} corruptions\n`);
  print("Double checking the fixed image now...");
}

function checkImage(image: OpenedImage, options: Options, fixed: Repaired): number {
  const layer = mustOpen(image, "check");
  const { path: filename, format, findings } = image;
  if (layer.check === undefined) {
    complain(`Cannot check ${filename}: the format ${format} has no refcounts`);
    return NO_CHECKER;
  }
  const progress = progressOf(options);
  let counts;
  try {
    counts = layer.check(findings, watchOf(progress, image));
  } finally {
    progress?.clear();
  }
  const found = findings.list();
  if (counts === undefined) {
    const reason = found.findLast((finding) => finding.effect === "check-error") ?? found.at(-1);
    complain(`Cannot check ${filename}: ${reason?.message} (${reason?.rule} at ${reason?.path})`);
    return FAILED;
  }
  const damage = checkStatus(counts) === 0 ? undefined : damageIn(image);
  if (options.flag("json")) {
    const report = checkReport({ filename, format }, counts, fixed);
    const more = damage === undefined ? null : damageJson(damage);
    print(qemuJson(options.flag("damage") ? { ...report, damage: more } : report));
  } else {
    printFixed(fixed);
    for (const line of damage === undefined ? [] : damageLines(damage)) print(`Damage: ${line}`);
    print(checkText(counts, found));
  }
  return checkStatus(counts);
}
