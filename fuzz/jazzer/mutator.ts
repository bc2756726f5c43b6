/**
 * `diskproof mutate --stdin` for Node, where the fuzzer has no Deno.
 *
 * @module
 */

import process from "node:process";
import { Readable, Writable } from "node:stream";
import { MUTANT_BYTES_MAX, mutants, serveMutants } from "../cli/mutants.ts";
import { images } from "../formats/mod.ts";

const named = process.argv.slice(2);
const kits = images.filter(({ format }) => named.length === 0 || named.includes(format.name));
const mutant = mutants(kits);
await serveMutants(
  {
    input: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array<ArrayBuffer>>,
    output: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  },
  MUTANT_BYTES_MAX,
  (bytes, order) => mutant(bytes, order).bytes,
);
