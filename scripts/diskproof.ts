/**
 * The whole program: the verbs of the library, the fuzzer's, and the golden images'.
 *
 * @module
 */

import { fuzzVerb } from "../fuzz/cli/fuzz.ts";
import { minimizeVerb } from "../fuzz/cli/minimize.ts";
import { reproVerb } from "../fuzz/cli/repro.ts";
import { main, type Verb } from "../src/cli/mod.ts";
import { HELP, main as golden } from "../golden/build/golden.ts";

const goldenVerb: Verb = {
  name: "golden",
  says: "make golden images with public tools, or verify them",
  help: HELP,
  run: golden,
};

// A worker of the fuzzer that spins cannot be stopped, so the process does not end by itself.
Deno.exit(await main(Deno.args, [fuzzVerb, reproVerb, minimizeVerb, goldenVerb]));
