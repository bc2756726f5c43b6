import config from "../../deno.json" with { type: "json" };
import { cpuSeconds } from "../mutants/cpu.ts";
import type { Row } from "./row.ts";

/** Cases a second on one core to aim for, by target. */
const AIMS: Readonly<Record<string, number>> = {
  "qcow2-open": 5000,
  "luks-open": 2000,
  "luks2-open": 2000,
  "roundtrip": 1000,
  "luks-roundtrip": 300,
  "differential": 400,
  "luks-differential": 150,
};
const SECONDS = 6;
const JOBS_SECONDS = 20;
/** Milliseconds between two looks at the processor time of a run. */
const CPU_POLL_MS = 100;

/** The events of a run that are of interest here. */
interface Finished {
  readonly event: string;
  readonly milliseconds?: number;
  readonly counts?: { readonly cases: number };
}

/** Cases a second of a fuzz run: of time, and of processor time with that of the tools. */
interface Rate {
  readonly wall: number;
  readonly cpu: number;
}

/** The rate of a fuzz run as `deno task fuzz` does it; the start of the program counts as processor time. */
async function rateOf(args: readonly string[]): Promise<Rate> {
  const [program = "deno", ...words] = config.tasks.fuzz.command.split(" ");
  const artifacts = Deno.makeTempDirSync();
  try {
    const child = new Deno.Command(program, {
      args: [...words, ...args, "--seed", "1", "--json", "--artifacts", artifacts],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = new Response(child.stdout).text();
    const cpu = await cpuUntilEnd(child);
    const { code } = await child.status;
    if (code > 1) throw new Error(`Cannot measure fuzz ${args.join(" ")}: exit status ${code}`);
    const events = (await output).trim().split("\n").map((line): Finished => JSON.parse(line));
    const end = events.find(({ event }) => event === "finished");
    const cases = end?.counts?.cases ?? NaN;
    return { wall: 1000 * cases / (end?.milliseconds ?? NaN), cpu: cases / cpu };
  } finally {
    Deno.removeSync(artifacts, { recursive: true });
  }
}

/**
 * Processor time of a process and of all that it starts, in seconds. It is looked at while they run:
 * the shell's `times` counts no workers and tools that end with the process, because it does not wait
 * for them.
 */
async function cpuUntilEnd(child: Deno.ChildProcess): Promise<number> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  let last = NaN;
  while (!hasEnded) {
    const now = await cpuSeconds(child.pid);
    if (now !== undefined && !(now < last)) last = now;
    await new Promise((resolve) => setTimeout(resolve, CPU_POLL_MS));
  }
  return last;
}

/** The rates of targets on one core, and how much faster two jobs are. */
export async function targetRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [target, least] of Object.entries(AIMS)) {
    const { wall, cpu } = await rateOf([target, "--jobs", "1", "--time", `${SECONDS}s`]);
    // Processor time is known only where there is /proc.
    const detail = Number.isNaN(cpu)
      ? {}
      : { detail: `${Math.round(cpu)} a second of processor time` };
    rows.push({ what: `fuzz ${target}`, value: wall, unit: "/s", aim: { least }, ...detail });
  }
  const [one, two] = [
    await rateOf(["--jobs", "1", "--time", `${JOBS_SECONDS}s`]),
    await rateOf(["--jobs", "2", "--time", `${JOBS_SECONDS}s`]),
  ];
  rows.push({
    what: "fuzz with two jobs beside one",
    value: two.wall / one.wall,
    unit: "×",
    aim: { least: 1.8 },
    detail: `${Math.round(two.wall)} and ${Math.round(one.wall)} cases a second`,
  });
  return rows;
}
