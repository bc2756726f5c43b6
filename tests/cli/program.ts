import config from "../../deno.json" with { type: "json" };
import { withScratch } from "../../src/peers/mod.ts";

/** What the program left behind. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** How long any call may take: an image that hangs it is a failure. */
const TIMEOUT_MS = 60_000;

/** Runs `deno task diskproof`, with the permissions of the task, in a directory. */
export async function diskproof(
  directory: string,
  args: readonly string[],
  input?: string,
): Promise<Run> {
  const words = config.tasks.diskproof.command.split(" ");
  const script = `${ROOT}${words.at(-1)}`;
  const child = new Deno.Command("deno", {
    args: [...words.slice(1, -1), script, ...args],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Hands a test a directory; not one below /dev, where Deno lets a task read nothing. */
export function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  return withScratch(test, "/tmp");
}

/** Makes a symbolic link, which Deno grants to nobody who may not write everywhere. */
export function makeLink(target: string, path: string): Promise<void> {
  return evaluate("Deno.symlinkSync(Deno.args[0], Deno.args[1])", [target, path]);
}

/** Makes a FIFO, for which Deno has no call. */
export function makeFifo(path: string): Promise<void> {
  const script = "new Deno.Command('mkfifo', { args: Deno.args }).outputSync()";
  return evaluate(script, [path]);
}

/** Runs a script in a Deno that may do everything. */
async function evaluate(script: string, args: readonly string[]): Promise<void> {
  const command = new Deno.Command("deno", { args: ["eval", script, ...args] });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
