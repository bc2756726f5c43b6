import { table } from "../../fuzz/cli/table.ts";
import { recorded } from "../../fuzz/targets/mod.ts";
import { type RulesReport, whyUnnoticed } from "./rules.ts";
import { mutants } from "./list/mod.ts";
import { figuresOf, isFoundIn, type Report, type Result, secondsText, smallest } from "./report.ts";

const COLUMNS = ["mutant", "found", "time", "processor", "target", "bytes", "edits", "named"];

/** One line for a mutant, as soon as it is done. */
export function resultText({ id, runs }: Result): string {
  return [
    id,
    ...runs.map((run) => {
      if (run.trouble !== undefined) return run.trouble;
      if (!run.isFound) return `NOT FOUND (${run.cases} cases)`;
      const least = smallest(run);
      const by = least === undefined
        ? run.failures[0]?.signature ?? "not reported"
        : `${least.target} ${least.signature}, ${least.bytes} bytes, ${least.edits} edits`;
      return `${secondsText(run.seconds)} ${by}`;
    }),
  ].join("  ");
}

/** All results as a table, and the figures. */
export function reportText(report: Report): string {
  const figures = figuresOf(report).map(({ what, figure, aim }) => [what, figure, `aim ${aim}`]);
  return `${table(COLUMNS, rowsOf(report))}\n\n${table(["", "figure", "aim"], figures)}`;
}

function rowsOf({ results }: Report): string[][] {
  return results.flatMap(({ id, names, runs }) =>
    runs.map((run) => {
      if (run.trouble !== undefined) return [id, "trouble", "", "", "", "", "", ""];
      if (!run.isFound) return [id, "no", "", "", "", "", "", ""];
      const least = smallest(run);
      const time = [secondsText(run.seconds), run.cpu === undefined ? "" : secondsText(run.cpu)];
      if (least === undefined) {
        return [id, "yes", ...time, run.failures[0]?.target ?? "", "", "", ""];
      }
      const { target, bytes, edits, text } = least;
      const named = text.includes(names) ? "yes" : "no";
      return [id, "yes", ...time, target, `${bytes}`, `${edits}`, named];
    })
  );
}

/** What has changed since an earlier report. */
export function compareText(before: Report, after: Report): string {
  const found = ({ results }: Report) => new Set(results.filter(isFoundIn).map(({ id }) => id));
  const [old, now] = [found(before), found(after)];
  const both = new Set(before.results.map(({ id }) => id));
  const common = after.results.filter(({ id }) => both.has(id)).map(({ id }) => id);
  const lost = common.filter((id) => old.has(id) && !now.has(id));
  const gained = common.filter((id) => !old.has(id) && now.has(id));
  const ids = new Set(common);
  const within = (report: Report): Report => ({
    ...report,
    results: report.results.filter(({ id }) => ids.has(id)),
  });
  const past = figuresOf(within(before));
  const rows = figuresOf(within(after)).map(({ what, figure }, at) => [
    what,
    past[at]?.figure ?? "",
    figure,
  ]);
  return [
    `compared with ${before.date} (${before.machine}), ${common.length} mutants in common`,
    `not found any more: ${lost.join(", ") || "none"}`,
    `now found: ${gained.join(", ") || "none"}`,
    table(["", "then", "now"], rows),
  ].join("\n");
}

/** What noticed that a rule is not judged, in lines. */
export function rulesText({ noticed, unnoticed, unbroken }: RulesReport): string[] {
  const all = noticed.length + unnoticed.length + unbroken.length;
  const byRecorded = noticed.filter(({ target }) => target === recorded.name).length;
  const reasons = (rules: readonly string[]) =>
    rules.map((rule) => `- \`${rule}\`: ${whyUnnoticed(rule)}`);
  return [
    `The loss of ${noticed.length} of ${all} rules is noticed, ${byRecorded} of them by recorded images.`,
    "",
    "Cases break these rules, and nothing notices their loss:",
    "",
    ...reasons(unnoticed),
    "",
    "No case breaks these:",
    "",
    ...reasons(unbroken),
  ];
}

/** The page docs/mutants.md. */
export function pageText(report: Report, rules: RulesReport): string {
  const { date, machine, versions, seconds, byProcessor, seeds, baseline } = report;
  const version = Object.entries(versions).map(([name, of]) => `${name} ${of}`).join(", ");
  const figures = figuresOf(report).map(({ what, figure, aim }) => [what, figure, aim]);
  return [
    "# Planted bugs",
    "",
    "Bugs are planted in a copy of diskproof, one at a time, and each copy is fuzzed as",
    "`deno task fuzz --jobs 2` does. `deno task bench mutants --page docs/mutants.md` writes this page.",
    "",
    `${date}, ${machine}. ${version}. ${seconds} s a run${
      byProcessor ? " of two processors, as processor time: other programs ran" : ""
    }, seeds ${seeds.join(", ")}.`,
    `${report.results.length} of ${mutants.length} bugs were planted.`,
    "Failures without a bug: " + (baseline.join(", ") || "none") + ".",
    "",
    ...markdown(["", "figure", "aim"], figures),
    "",
    "Time is that to the first failure, and processor time that of all processes of the run up to then.",
    "Bytes are what is stored of the files of the smallest case; edits are those of the case, or its",
    "steps. Named says whether the report of the case names the structure at fault.",
    "",
    "Not every case can be small: a LUKS key is stored as 4000 stripes, 64000 bytes for one of 128 bits;",
    "extended L2 entries require clusters of 16 KiB; and recorded images are not made smaller.",
    "",
    ...markdown(COLUMNS, rowsOf(report)),
    "",
    "## Rules that are not judged",
    "",
    ...rulesText(rules),
    "",
  ].join("\n");
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) =>
    Math.max(3, title.length, ...rows.map((row) => row[at]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map((row) => line(row)),
  ];
}
