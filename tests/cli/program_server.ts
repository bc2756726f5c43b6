/**
 * Runs one command line after the other. Each runs in a worker that has the permissions of the task
 * and drops those that the verb does not need, as the program does. A worker serves only verbs that
 * need the same permissions, because none that is dropped comes back.
 */

import config from "../../deno.json" with { type: "json" };
import { TextLineStream } from "@std/streams";
import { verbs as ownVerbs } from "../../scripts/diskproof.ts";
import { permissionsOf } from "../../src/cli/program.ts";
import { verbs } from "../../src/cli/verbs.ts";
import type { CommandLine, Run } from "./program.ts";

/** The permissions of the task. */
function taskPermissions(): Deno.PermissionOptionsObject {
  const flags = config.tasks.diskproof.command.matchAll(/--allow-(\w+)(?:=(\S+))?/g);
  return Object.fromEntries(
    Array.from(flags, ([, name = "", list]) => [name, list === undefined ? true : list.split(",")]),
  );
}

function startWorker(): Worker {
  const url = new URL("./program_worker.ts", import.meta.url);
  return new Worker(url, { type: "module", deno: { permissions: taskPermissions() } });
}

const workers = new Map<string, Worker>();

/** Before it drops permissions, the program opens devices and stores standard input. */
function needsAllAtFirst(word: string): boolean {
  return word === "-" || word.endsWith("=-") || word.includes("/dev/");
}

function workerFor([verb, ...words]: readonly string[]): { worker: Worker; once: boolean } {
  const entry = [...verbs, ...ownVerbs].find(({ name }) => name === verb);
  if (words.some(needsAllAtFirst)) return { worker: startWorker(), once: true };
  const key = entry === undefined ? "" : permissionsOf(entry, words).toSorted().join();
  const worker = workers.get(key) ?? startWorker();
  workers.set(key, worker);
  return { worker, once: false };
}

async function run({ directory, args, input }: CommandLine): Promise<Run> {
  Deno.chdir(directory);
  const { worker, once } = workerFor(args);
  const answer = await new Promise<Run>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ args, input });
  });
  if (once) worker.terminate();
  return answer;
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
const encoder = new TextEncoder();
for await (const line of lines) {
  const bytes = encoder.encode(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
Deno.exit(0);
