/**
 * `diskproof` on Node: the verbs that only read images.
 *
 * @module
 */

import process from "node:process";
import config from "../../deno.json" with { type: "json" };
import { runProgram, verbs } from "../../src/cli/mod.ts";
import { installDeno } from "./deno_on_node.ts";

const READING = ["info", "map", "check", "judge", "admit", "inspect", "digest"];
const FUZZING = ["fuzz", "repro", "minimize", "generate"];

installDeno();
const args = process.argv.slice(2);
const [verb = ""] = args;
const isVerb = verbs.some(({ name }) => name === verb) || FUZZING.includes(verb);
if (isVerb && !READING.includes(verb)) {
  process.stderr.write(`diskproof: the verb '${verb}' requires Deno (see README.md)\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await runProgram({
    name: "diskproof",
    summary: "diskproof: reads and judges qcow, qcow2 and LUKS images. Other verbs require Deno.",
    verbs: verbs.filter(({ name }) => READING.includes(name)),
    version: () => Promise.resolve(`diskproof ${config.version}`),
  }, args);
}
