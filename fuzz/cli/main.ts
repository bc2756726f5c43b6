/**
 * The program behind `deno task fuzz`, `deno task repro` and `deno task minimize`.
 *
 * This folder is the edge of fuzz/, as src/cli is that of src/: here and nowhere else in fuzz/ stand
 * `Deno.*`, the console, signals and the search for qemu-img.
 *
 * @module
 */

import { runProgram } from "../../src/cli/program.ts";
import { fuzzVerb } from "./fuzz.ts";
import { minimizeVerb } from "./minimize.ts";
import { reproVerb } from "./repro.ts";

const program = {
  call: "deno run fuzz/cli/main.ts",
  says: "diskproof's fuzzer: finds, keeps and replays cases that fail.",
  verbs: [fuzzVerb, reproVerb, minimizeVerb],
};

// A worker that spins cannot be stopped, so the process does not end by itself.
Deno.exit(await runProgram(program, Deno.args));
