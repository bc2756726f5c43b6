/**
 * The program `diskproof`, without the fuzzer.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { enterUsersDirectory } from "./directory.ts";
import { runProgram } from "./program.ts";
import type { Verb } from "./verb.ts";
import { verbs } from "./verbs.ts";

/**
 * Runs a command line.
 *
 * @param more verbs beyond those that need nothing but the library
 * @returns the exit status
 */
export function main(args: readonly string[], more: readonly Verb[] = []): Promise<number> {
  enterUsersDirectory();
  const program = {
    call: "diskproof",
    says: "diskproof: a test oracle and fuzz harness for qcow, qcow2 and LUKS.",
    version: `diskproof ${config.version}`,
    verbs: [...verbs, ...more],
  };
  return runProgram(program, args);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
