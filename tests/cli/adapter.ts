/** The verb `adapter`, and programs that its tests need. */

import config from "../../deno.json" with { type: "json" };
import type { Run } from "./program.ts";

export const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs `diskproof adapter` in a directory, with the permissions of the task. */
export async function adapter(directory: string, ...args: string[]): Promise<Run> {
  const words = config.tasks.diskproof.command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [...words.slice(1, -1), `${ROOT}${words.at(-1)}`, "adapter", ...args],
    cwd: directory,
    env: { NO_COLOR: "1", INIT_CWD: directory },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Whether a program is on the PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).output();
  return success;
}

/** Says why a test ends early. */
export function skip(why: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${why}\n`));
}
