/** What a process took. */
export interface Taken {
  /** In milliseconds. */
  readonly wall: number;
  /** Processor time of it and of what it waited for, in milliseconds. */
  readonly cpu: number;
}

/** The words of `deno task diskproof`. */
export interface Program {
  readonly name: string;
  readonly words: readonly string[];
}

/** Runs a command, and prints the time that the shell's children took. */
const TIMED = '"$@" >/dev/null 2>&1; code=$?; times >&2; exit $code';
/** Looks at the most memory that was resident until the command ends: it never becomes less. */
const WATCHED = '"$@" >/dev/null 2>&1 & pid=$!; most=; ' +
  "while now=$(grep VmHWM /proc/$pid/status 2>/dev/null); do most=$now; sleep 0.02; done; " +
  'echo "$most" >&2; wait $pid';

/** What a script printed on standard error, and the time that it and the command took. */
interface Ran extends Taken {
  readonly stderr: string;
}

/**
 * Runs a command in a script.
 *
 * @throws {Error} when its exit status is not 0
 */
async function inShell(script: string, command: readonly string[]): Promise<Ran> {
  const run = new Deno.Command("sh", { args: ["-c", script, "sh", ...command], stdin: "null" });
  const started = performance.now();
  const { code, ...printed } = await run.output();
  const wall = performance.now() - started;
  if (code !== 0) {
    throw new Error(`Cannot measure ${command.join(" ")}: exit status ${code}`);
  }
  const stderr = new TextDecoder().decode(printed.stderr);
  // The second line of `times` is about the children: `0m0.10s 0m0.02s`.
  const times = stderr.trim().split("\n").at(-1)?.matchAll(/(\d+)m([\d.]+)s/g) ?? [];
  let cpu = 0;
  for (const [, minutes, seconds] of times) {
    cpu += 60_000 * Number(minutes) + 1000 * Number(seconds);
  }
  return { wall, cpu, stderr };
}

/** The most memory that was resident in a process, in bytes. */
export async function peakMemory(command: readonly string[]): Promise<number> {
  const { stderr } = await inShell(WATCHED, command);
  const [, kib = "NaN"] = /VmHWM:\s+(\d+) kB/.exec(stderr) ?? [];
  return 1024 * Number(kib);
}

/** The best of several runs of commands that take turns, and the spread of the better half. */
export interface Best extends Taken {
  readonly noise: number;
}

/**
 * Runs commands in turn, so that what else the machine does concerns all of them.
 *
 * @param before runs before each, and is not measured
 */
export async function inTurn(
  commands: readonly (readonly string[])[],
  { rounds, before = () => {} }: { readonly rounds: number; readonly before?: () => void },
): Promise<Best[]> {
  const runs: Taken[][] = commands.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, command] of commands.entries()) {
      before();
      runs[index]?.push(await inShell(TIMED, command));
    }
  }
  return runs.map((of) => {
    const walls = of.map(({ wall }) => wall).sort((a, b) => a - b);
    const [best = NaN] = walls;
    const middle = walls[Math.floor(walls.length / 2)] ?? best;
    return { wall: best, cpu: Math.min(...of.map(({ cpu }) => cpu)), noise: middle / best - 1 };
  });
}
