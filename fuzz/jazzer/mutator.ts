/**
 * `diskproof mutate --stdin` for Node, where the fuzzer has no Deno.
 *
 * @module
 */

import process from "node:process";
import { Readable, Writable } from "node:stream";
import { MUTANT_BYTES_MAX, mutants, serveMutants } from "../cli/mutants.ts";
import { imageKits } from "../cli/kits.ts";

const mutant = mutants(imageKits(process.argv.slice(2)));
await serveMutants(
  {
    input: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array<ArrayBuffer>>,
    output: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  },
  MUTANT_BYTES_MAX,
  (bytes, order) => mutant(bytes, order).bytes,
);
