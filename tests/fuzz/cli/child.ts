import config from "../../../deno.json" with { type: "json" };

/** What a program left behind. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A task that is a verb of its own. */
export type Task = "fuzz" | "repro" | "minimize";

/** The arguments for Deno of one of the tasks in deno.json, so that its permissions are those. */
export function taskArguments(task: Task, args: readonly string[]): string[] {
  const [, ...words] = config.tasks[task].command.split(" ");
  return [...words, ...args];
}

/** A program that Deno runs from the folder of deno.json. */
export function denoCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.Command {
  return new Deno.Command("deno", {
    args: [...args],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a task to its end. */
export async function runTask(task: Task, args: readonly string[]): Promise<Outcome> {
  return await runDeno(taskArguments(task, args));
}

/** Runs Deno to its end. */
export async function runDeno(args: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await denoCommand(args).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a test with a directory of its own, which the tasks may write to. */
export function withDirectory(test: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync({ dir: "/tmp" });
    try {
      await test(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

/** The events that a program told in JSON lines. */
export function eventsOf(outcome: Outcome): Record<string, unknown>[] {
  return outcome.stdout.trim().split("\n").map((line) => JSON.parse(line));
}
