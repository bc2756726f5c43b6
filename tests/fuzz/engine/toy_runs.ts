import {
  Crew,
  type CrewOptions,
  fuzz,
  type Plan,
  type ReportedFailure,
  type Reporter,
  type Summary,
} from "../../../fuzz/engine/mod.ts";
import { workers } from "../../../fuzz/cli/process.ts";
import { toys } from "./toys.ts";

const silent: Reporter = {
  started: () => {},
  progress: () => {},
  found: () => {},
  replayed: () => {},
  failed: () => {},
  targetDone: () => {},
  finished: () => {},
};

/** Runs toys by name. */
export async function run(
  names: readonly string[],
  changes: Partial<Plan> & Partial<CrewOptions> & {
    onCrew?: (crew: Crew) => void;
    reporter?: Partial<Reporter>;
  } = {},
): Promise<Summary> {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  const crew = new Crew({
    hire: workers(new URL("./toy_worker.ts", import.meta.url)),
    jobs: 1,
    directory: `${directory}/scratch`,
    tools: {},
    timeout: 10_000,
    memoryMax: 2 ** 32,
    ...changes,
  });
  const plan = {
    targets: names.flatMap((name) => toys.filter((toy) => toy.name === name)),
    seed: 1,
    milliseconds: Infinity,
    shrinkMilliseconds: 60_000,
    runs: 300,
    artifacts: `${directory}/artifacts`,
    versions: {},
    rules: ["rule.three", "rule.never"],
    ...changes,
  };
  changes.onCrew?.(crew);
  try {
    return await fuzz(plan, crew, { ...silent, ...changes.reporter });
  } finally {
    crew.dismiss();
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The case of a failure, as JSON. */
export function caseOf(failure: ReportedFailure | undefined): unknown {
  return failure?.found.dossier?.case;
}
