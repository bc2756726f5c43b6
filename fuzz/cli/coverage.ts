import { type Options, UsageError, writeReportFile } from "../../src/cli/mod.ts";
import type { Summary } from "../engine/mod.ts";
import { unreached } from "../targets/mod.ts";
import { typedPath } from "./host.ts";
import { denoCommand } from "./process.ts";
import { table } from "./table.ts";

/** The file that is named on the command line, and whether it gets line coverage. */
export function coverageOf(options: Options): { path: string; isLcov: boolean } | undefined {
  const path = options.value("coverage");
  if (path === undefined) return undefined;
  return { path: typedPath(path), isLcov: /\.(lcov|info)$/.test(path) };
}

/**
 * Writes which rules which targets have reached, or the line coverage of src/.
 *
 * @param profiles the directory of what the workers have counted
 * @throws {UsageError} when the file cannot be written
 */
export async function writeCoverage(
  path: string,
  summary: Summary,
  profiles: string | undefined,
): Promise<void> {
  if (profiles !== undefined) return await writeLineCoverage(path, profiles);
  const text = path.endsWith(".json")
    ? `${JSON.stringify(ruleCoverage(summary), null, 2)}\n`
    : ruleTable(summary);
  writeReportFile(path, text);
}

/** Rules by target, with the number of images that broke them. */
function ruleCoverage({ seed, results, reached, missed }: Summary) {
  const rules = Object.fromEntries(reached.map((rule) => [
    rule,
    Object.fromEntries(
      results.filter(({ counts }) => counts.rules[rule] !== undefined)
        .map(({ target, counts }) => [target, counts.rules[rule]]),
    ),
  ]));
  const reasons = Object.fromEntries(missed.flatMap((rule) => {
    const reason = unreached[rule];
    return reason === undefined ? [] : [[rule, reason]];
  }));
  return { seed, targets: results.map(({ target }) => target), rules, missed, reasons };
}

/**
 * The rules as rows and the targets as columns, then the rules that were not reached, with the reason if
 * no case can reach them.
 */
export function ruleTable({ results, reached, missed }: Summary): string {
  const used = results.filter(({ counts }) => Object.keys(counts.rules).length > 0);
  const rows = reached.map((rule) => [
    rule,
    ...used.map(({ counts }) => String(counts.rules[rule] ?? "-")),
  ]);
  return [
    `rules reached: ${reached.length} of ${reached.length + missed.length}`,
    "",
    table(["rule", ...used.map(({ target }) => target)], rows),
    "",
    `rules not reached: ${missed.length}`,
    ...missed.map((rule) => {
      const reason = unreached[rule];
      return reason === undefined ? `  ${rule}` : `  ${rule}: ${reason}`;
    }),
    "",
  ].join("\n");
}

/** Whether the workers have counted anything. */
function hasCounts(profiles: string): boolean {
  try {
    return Deno.readDirSync(profiles)[Symbol.iterator]().next().done !== true;
  } catch {
    return false;
  }
}

async function writeLineCoverage(path: string, profiles: string): Promise<void> {
  if (!hasCounts(profiles)) {
    throw new UsageError(`Cannot write ${path}: no worker has run long enough to count lines`);
  }
  const command = new Deno.Command(denoCommand(), {
    args: ["coverage", "--quiet", "--lcov", `--output=${path}`, profiles],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  if (success) return;
  const [reason] = new TextDecoder().decode(stderr).trim().split("\n");
  throw new UsageError(`Cannot write ${path}: ${reason}`);
}
