/** The verb `adapter`. */

import { diskproof, type Run } from "./program.ts";

/** Runs `diskproof adapter` in a directory, with the permissions of the task. */
export function adapter(directory: string, ...args: string[]): Promise<Run> {
  return diskproof(directory, ["adapter", ...args]);
}
