/** Runs the program in a worker, with standard streams in memory. */

import { verbs } from "../../scripts/diskproof.ts";
import { main } from "../../src/cli/main.ts";
import type { CommandLine, Run } from "./program.ts";

/** What a worker has of its global object. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Pick<CommandLine, "args" | "input">>) => void) | null;
  postMessage(run: Run): void;
}

let input: Uint8Array = new Uint8Array();

Deno.stdin.readSync = (target) => {
  const count = Math.min(target.length, input.length);
  target.set(input.subarray(0, count));
  input = input.subarray(count);
  return count === 0 && target.length > 0 ? null : count;
};

/** Collects what is written to a stream. */
class Collected {
  #chunks: Uint8Array<ArrayBuffer>[] = [];

  constructor(stream: { writeSync(bytes: Uint8Array): number }) {
    stream.writeSync = (bytes) => {
      this.#chunks.push(bytes.slice());
      return bytes.length;
    };
  }

  /** What has been written since the last call. */
  async take(): Promise<string> {
    const text = await new Blob(this.#chunks).text();
    this.#chunks = [];
    return text;
  }
}

const stdout = new Collected(Deno.stdout);
const stderr = new Collected(Deno.stderr);

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data: { args, input: text } }) => {
  input = new TextEncoder().encode(text);
  const status = await main(args, verbs);
  scope.postMessage({ status, stdout: await stdout.take(), stderr: await stderr.take() });
};
