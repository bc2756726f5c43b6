import { diskproof } from "../../cli/program.ts";
import type { Outcome, Task } from "./child.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/**
 * Runs a task as `runTask` does, with its permissions, but not in a process of its own: starting one
 * takes longer than most runs.
 */
export function runQuickly(task: Task, args: readonly string[]): Promise<Outcome> {
  return diskproof(ROOT, [task, ...args]);
}
