import { parseOptions, patternOf, print, UsageError, wholeNumber } from "../../src/cli/mod.ts";
import { typedPath } from "../../fuzz/cli/host.ts";
import { fnv1a } from "../../fuzz/engine/mod.ts";
import { fewAtOnce, withScratch } from "../../src/peers/mod.ts";
import { ProjectCopy } from "./copy.ts";
import { fuzzRun } from "./fuzz_run.ts";
import { mutants } from "./list/mod.ts";
import { idOf, type Placed, type Room, ROOMS } from "./mutant.ts";
import { isFoundIn, type Report, reportOf, type Result } from "./report.ts";
import { droppedRules, UNKNOWN, whyUnnoticed } from "./rules.ts";
import { compareText, pageText, reportText, resultText, rulesText } from "./text.ts";

/** Seeds of the runs of a mutant: the first ones, as many as there are to be. */
const SEEDS = [1, 2, 3, 4, 5] as const;
const SECONDS_MAX = 3600;
const SHRINK_SECONDS = 20;
/** Processor time for each target with rules that are dropped. */
const RULE_SECONDS = 3;

/** The text of `bench mutants --help`. */
export const mutantsHelp = `diskproof bench mutants [options]

Plants bugs in a copy of the project, one at a time, and fuzzes each copy as 'deno task fuzz --jobs 2'
does, until the first failure and ${SHRINK_SECONDS} s more for making the case smaller. A failure that the
project has without a bug does not count.

  --only GLOB      only the mutants with such names, such as 'qcow2/*'
  --group ROOM     only those of one room: ${ROOMS.slice(0, 5).join(", ")},
                   ${ROOMS.slice(5).join(", ")}
  --sample N       N of them, from all rooms; --seed S chooses others
  --time SECONDS   time of each run (default 60)
  --processor      limit the runs by processor time, as two idle processors give it: for a machine
                   on which other programs run
  --seeds N        runs of each mutant, each with its own seed (default 1, at most ${SEEDS.length})
  --jobs N         mutants at a time (default 1)
  --json FILE      write the results as JSON
  --page FILE      write the results as a page, such as docs/mutants.md, with those of --rules
  --compare FILE   compare with the results of an earlier run
  --again FILE     keep what an earlier run found, also without a bug, and run the other mutants
  --rules          drop each rule of the judge instead, one at a time, and run the recorded images and
                   some cases of each target without it
  --list           print the mutants

Exit status: 0 all were found, 1 some were not, 2 invalid command line, 3 a copy does not work.
`;

/** `bench mutants`: how many planted bugs the fuzzer finds, how fast, and how small their cases are. */
export async function runMutants(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["list", "processor", "rules"],
    values: [
      ...["only", "group", "sample", "seed", "time", "seeds", "jobs"],
      ...["json", "page", "compare", "again"],
    ],
  });
  if (options.positional.length > 0) throw new UsageError("bench mutants has no arguments");
  const number = (name: string, max: number, min = 1) => wholeNumber(options, name, { min, max });
  const chosen = sampled(
    mutants.filter((mutant) =>
      matches(mutant, { only: options.value("only"), group: options.value("group") })
    ),
    number("sample", mutants.length),
    number("seed", 2 ** 32, 0) ?? 0,
  );
  if (chosen.length === 0) throw new UsageError("there are no such mutants (see --list)");
  if (options.flag("list")) {
    for (const mutant of chosen) print(`${idOf(mutant)}: ${mutant.what}`);
    return 0;
  }
  const [page, json] = [options.value("page"), options.value("json")];
  if (options.flag("rules") && page === undefined) {
    const rules = await droppedRules(RULE_SECONDS);
    print(rulesText(rules).join("\n"));
    return rules.unnoticed.some((rule) => whyUnnoticed(rule) === UNKNOWN) ? 1 : 0;
  }
  const before = reportIn(options.value("compare"));
  const again = reportIn(options.value("again"));
  const kept = (again?.results ?? []).filter(isFoundIn);
  const keptIds = new Set(kept.map(({ id }) => id));
  const report = await measured(chosen.filter((mutant) => !keptIds.has(idOf(mutant))), {
    kept,
    baseline: again?.baseline,
    seconds: number("time", SECONDS_MAX) ?? 60,
    byProcessor: options.flag("processor"),
    seeds: SEEDS.slice(0, number("seeds", SEEDS.length) ?? 1),
    jobs: number("jobs", 64) ?? 1,
  }, (soFar) => {
    if (json === undefined) return;
    Deno.writeTextFileSync(typedPath(json), `${JSON.stringify(soFar, null, 1)}\n`);
  });
  print(reportText(report));
  if (before !== undefined) print(compareText(before, report));
  if (page !== undefined) {
    const rules = await droppedRules(RULE_SECONDS);
    Deno.writeTextFileSync(typedPath(page), pageText(report, rules));
  }
  if (report.results.some(({ runs }) => runs.some(({ trouble }) => trouble !== undefined))) {
    return 3;
  }
  return report.results.every(isFoundIn) ? 0 : 1;
}

function reportIn(path: string | undefined): Report | undefined {
  return path === undefined
    ? undefined
    : JSON.parse(Deno.readTextFileSync(typedPath(path))) as Report;
}

interface Measuring {
  /** Results of an earlier run. */
  readonly kept: readonly Result[];
  /** Failures that an earlier run had without a bug. */
  readonly baseline: readonly string[] | undefined;
  readonly seconds: number;
  readonly byProcessor: boolean;
  readonly seeds: readonly number[];
  readonly jobs: number;
}

async function measured(
  chosen: readonly Placed[],
  { kept, baseline: before, seconds, byProcessor, seeds, jobs }: Measuring,
  keep: (soFar: Report) => void,
): Promise<Report> {
  return await withScratch(async (scratch) => {
    const free = await Promise.all(Array.from({ length: jobs }, async (_, job) => {
      Deno.mkdirSync(`${scratch}/${job}`);
      return await ProjectCopy.make(`${scratch}/${job}`);
    }));
    /** Runs on a copy that nothing else runs on. */
    const run = async (mutant: Placed | undefined, seed: number, known: ReadonlySet<string>) => {
      const copy = free.pop() as ProjectCopy;
      try {
        return await copy.with(mutant, () =>
          fuzzRun({
            ...{ directory: copy.directory, seed, seconds, byProcessor, known },
            ...(mutant === undefined ? {} : { shrinkSeconds: SHRINK_SECONDS }),
          }));
      } finally {
        free.push(copy);
      }
    };
    const baseline = [...before ?? []];
    for (const seed of before === undefined ? seeds : []) {
      const { failures, trouble } = await run(undefined, seed, new Set());
      if (trouble !== undefined) throw new Error(`The project without a bug: ${trouble}`);
      for (const { target, signature } of failures) baseline.push(`${target} ${signature}`);
    }
    for (const failure of baseline) print(`without a bug: ${failure}`);
    const known = new Set(baseline);
    const results = [...kept];
    const facts = { seconds, byProcessor, seeds, baseline };
    await fewAtOnce(chosen, async (mutant) => {
      const runs = [];
      for (const seed of seeds) runs.push(await run(mutant, seed, known));
      const result: Result = { id: idOf(mutant), room: mutant.room, names: mutant.names, runs };
      results.push(result);
      print(resultText(result));
      keep(await reportOf({ ...facts, results }));
    }, jobs);
    const order = new Map(mutants.map((mutant, at) => [idOf(mutant), at]));
    results.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    const report = await reportOf({ ...facts, results });
    keep(report);
    return report;
  }, "/tmp");
}

function matches(
  mutant: Placed,
  { only, group }: { only: string | undefined; group: string | undefined },
): boolean {
  if (group !== undefined && !(ROOMS as readonly string[]).includes(group)) {
    throw new UsageError(`unknown group '${group}' (one of ${ROOMS.join(", ")})`);
  }
  if (group !== undefined && mutant.room !== group as Room) return false;
  return only === undefined || patternOf(only).test(idOf(mutant));
}

/** A sample that is spread over the rooms, or all: it goes through a shuffled list of each in turn. */
function sampled(all: readonly Placed[], count: number | undefined, seed: number): Placed[] {
  const turns = new Map<Room, number>();
  const turnOf = ({ room }: Placed): number => {
    const turn = turns.get(room) ?? 0;
    turns.set(room, turn + 1);
    return turn;
  };
  return all
    .map((mutant) => ({ mutant, key: rank(`${seed} ${idOf(mutant)}`) }))
    .sort((a, b) => a.key - b.key)
    .map(({ mutant }) => ({ mutant, turn: turnOf(mutant) }))
    .sort((a, b) => a.turn - b.turn)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

/** A number that follows from a text and looks random. */
function rank(text: string): number {
  const hash = fnv1a(text);
  return (hash ^ hash >>> 15) >>> 0;
}
