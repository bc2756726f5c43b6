/** Runs toys by name with the engine and reports its progress as JSON lines. */
import { JsonReporter } from "../../../fuzz/cli/json_lines.ts";
import { workers } from "../../../fuzz/cli/process.ts";
import { Crew, fuzz } from "../../../fuzz/engine/mod.ts";
import { toys } from "./toys.ts";

const [directory = "", ...names] = Deno.args;
const crew = new Crew({
  hire: workers(new URL("./toy_worker.ts", import.meta.url)),
  jobs: 1,
  directory: `${directory}/scratch`,
  tools: {},
  timeout: 1000,
  memoryMax: 2 ** 31,
});
const summary = await fuzz(
  {
    targets: names.flatMap((name) => toys.filter((toy) => toy.name === name)),
    seed: 1,
    milliseconds: Infinity,
    shrinkMilliseconds: 60_000,
    runs: 30,
    artifacts: `${directory}/artifacts`,
    versions: {},
    rules: [],
  },
  crew,
  new JsonReporter(),
);
Deno.exit(summary.status);
