import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import { visible } from "../../src/format/mod.ts";
import { type ExportedCase, exportedCase } from "./export/case.ts";
import { recordedCases } from "./export/tree.ts";

/**
 * `corpus list`: prints the recorded cases, a line each.
 *
 * @throws {UsageError} when there is no such case
 */
export function list(args: readonly string[]): number {
  const options = parseOptions(args, { values: ["flag", "format", "rule"], flags: ["json"] });
  const [text = "", ...others] = options.positional;
  if (others.length > 0) throw new UsageError(`unexpected argument '${others[0]}'`);
  const [flag, format, rule] = ["flag", "format", "rule"].map((name) => options.value(name));
  const chosen = recordedCases().filter(({ name }) => name.includes(text))
    .map(({ load, set }) => exportedCase(load().record, set))
    .filter((each) =>
      (flag === undefined || each.flags.includes(flag)) &&
      (format === undefined || each.format === format) &&
      (rule === undefined || each.spec.some((it) => it.rule === rule))
    );
  if (chosen.length === 0) throw new UsageError("no recorded case is like that");
  const width = Math.max(...chosen.map(({ id }) => id.length));
  for (const each of chosen) {
    print(options.flag("json") ? jsonOf(each) : visible(`${each.id.padEnd(width)}  ${each.shows}`));
  }
  return 0;
}

function jsonOf(
  { id, set, format, shows, polarity, rules, features, flags }: ExportedCase,
): string {
  return JSON.stringify({ id, set, format, shows, polarity, rules, features, flags });
}
