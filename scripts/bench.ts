/**
 * `bench`: figures beside their aims.
 *
 * @module
 */

import { typedPath } from "../fuzz/cli/host.ts";
import {
  jsonLine,
  parseOptions,
  print,
  UsageError,
  wholeNumber,
  whyUnreadable,
} from "../src/cli/mod.ts";
import { withScratch } from "../src/peers/mod.ts";
import { FORMATS } from "./bench/operations.ts";
import { operationRows, partRows } from "./bench/parts.ts";
import { compared, type Results, type Row, rowsText } from "./bench/row.ts";
import { targetRows } from "./bench/targets.ts";
import { verbRows } from "./bench/verbs.ts";
import { mutantsHelp, runMutants } from "./mutants/bench.ts";

/** The text of `bench --help`. */
export const help = `diskproof bench [SUBJECT…] [options]
diskproof bench mutants [options]

Prints figures of this machine beside their aims. Without a subject, all but mutants are measured,
which takes about five minutes and requires qemu-img and qemu-io. Subjects:

  verbs      info, convert, check and judge as whole processes, beside qemu-img with the same files
             in turn: the best of several runs, and the processor time
  targets    cases per second of fuzz targets on one core, and how much faster two jobs are
  parts      the parts of a fuzz run in this process; digest and unlocking beside qemu-img and PBKDF2
  mutants    how many planted bugs a fuzz run finds (see below)

  --json FILE     write the figures to FILE
  --compare FILE  compare with the figures in FILE, of an earlier run on the same machine; a change
                  for the worse beyond the noise of both runs is a REGRESSION
  --operations N  change images in memory with N steps instead, of each format in turn, and print
                  the steps per second; it stops at the first image that differs from its model
  --help          this text

Exit status: 0 success, 1 a figure is a regression, 2 invalid command line, 3 a tool cannot be
started.

${mutantsHelp}
Example

  deno task bench verbs --json today.json
  deno task bench verbs --compare today.json
  deno task bench --operations 1000000
  deno task bench mutants --group qcow2 --jobs 2
`;

const OPERATIONS_MAX = 10 ** 9;

/** What is measured, in this order. */
const SUBJECTS: Readonly<Record<string, (directory: string) => Promise<Row[]>>> = {
  verbs: verbRows,
  targets: targetRows,
  parts: partRows,
};

/** `bench`: how fast diskproof is on this machine. */
export async function run(args: string[]): Promise<number> {
  if (args[0] === "mutants") return await runMutants(args.slice(1));
  const options = parseOptions(args, { values: ["operations", "json", "compare"] });
  const subjects = options.positional.length > 0 ? options.positional : Object.keys(SUBJECTS);
  const unknown = subjects.find((subject) => !Object.hasOwn(SUBJECTS, subject));
  if (unknown !== undefined) {
    const known = [...Object.keys(SUBJECTS), "mutants"].join(", ");
    throw new UsageError(`unknown subject '${unknown}' (known: ${known})`);
  }
  const steps = wholeNumber(options, "operations", { min: 1, max: OPERATIONS_MAX });
  const old = options.value("compare");
  const before = old === undefined ? undefined : resultsIn(old);
  const rows: Row[] = steps === undefined
    ? await measured(subjects)
    : await operationRows({ steps: Math.ceil(steps / FORMATS.length) });
  rowsText(rows).forEach(print);
  const json = options.value("json");
  if (json !== undefined) {
    const results: Results = {
      ...{ date: new Date().toISOString(), processors: navigator.hardwareConcurrency, rows },
    };
    Deno.writeTextFileSync(typedPath(json), `${jsonLine(results)}\n`);
  }
  if (before === undefined) return 0;
  const { lines, regressions } = compared(before, rows);
  print(`\nsince ${before.date}`);
  lines.forEach(print);
  return regressions > 0 ? 1 : 0;
}

async function measured(subjects: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  await withScratch(async (directory) => {
    for (const subject of subjects) rows.push(...await SUBJECTS[subject]?.(directory) ?? []);
  });
  return rows;
}

/** @throws {UsageError} when the file has no figures */
function resultsIn(path: string): Results {
  try {
    const results: Results = JSON.parse(Deno.readTextFileSync(typedPath(path)));
    if (Array.isArray(results.rows)) return results;
    throw new TypeError("it has no figures of bench");
  } catch (error) {
    throw new UsageError(`Cannot compare with ${path}: ${whyUnreadable(error)}`);
  }
}
