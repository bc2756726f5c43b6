/**
 * The program `diskproof` without the verbs that need the repository.
 *
 * @module
 */

import { useFileSystem } from "../bytes/mod.ts";
import { denoFileSystem } from "./deno_files.ts";
import { runProgram } from "./program.ts";
import type { VerbEntry } from "./verb.ts";
import { verbs } from "./verbs.ts";

export type { Permission, Verb, VerbEntry } from "./verb.ts";

/**
 * Runs a command line.
 *
 * @param more verbs in addition to those of the library
 * @returns the exit status
 */
export function main(
  args: readonly string[],
  more: readonly VerbEntry[] = [],
): Promise<number> {
  useFileSystem(denoFileSystem);
  const program = {
    name: "diskproof",
    summary: "diskproof: a test oracle and fuzz harness for qcow, qcow2 and LUKS.",
    verbs: [...verbs, ...more],
    version: async () => {
      const { default: config } = await import("../../deno.json", { with: { type: "json" } });
      return `diskproof ${config.version}`;
    },
  };
  return runProgram(program, args);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
