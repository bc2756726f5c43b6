import { rmSync } from "node:fs";
import type { Crew } from "../crew.ts";
import { nameOf } from "../fault.ts";
import type { Answer } from "../protocol.ts";
import type { Corpus, Input } from "./corpus.ts";
import { HarnessError } from "../target.ts";
import { type Covering, coverOf } from "./cover.ts";
import { failureFeature } from "./features.ts";

/** The inputs of a target before and after. */
export interface Minimized {
  readonly target: string;
  readonly before: number;
  readonly after: number;
  /** Bytes of the files. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Inputs that a worker gets at a time. */
const BATCH = 64;
/** More than a batch takes, in milliseconds: each input has the time limit of a case. */
const FOREVER = 2 ** 40;

/**
 * Removes the inputs of a target whose features other inputs have, too. Of a failure, one input stays.
 * Only files that are named like those of a corpus are removed.
 *
 * @throws {Error} when the target cannot run
 */
export async function minimizeInputs(
  corpus: Corpus,
  target: string,
  crew: Crew,
): Promise<Minimized> {
  const items: (Covering & { readonly input: Input })[] = [];
  for (const batch of batchesOf(corpus.inputs(target))) {
    const features = await featuresOfAll(target, { batch, crew, corpus });
    for (const [index, input] of batch.entries()) {
      const own = features.get(index);
      if (own !== undefined) items.push({ input, size: input.size, features: own });
    }
  }
  const chosen = new Set(coverOf(items));
  const gone = items.filter((item) => !chosen.has(item) && item.input.isNamed);
  for (const { input } of gone) rmSync(input.path, { force: true });
  const bytesIn = (list: readonly Covering[]) => list.reduce((sum, { size }) => sum + size, 0);
  return {
    target,
    before: items.length,
    after: items.length - gone.length,
    bytesBefore: bytesIn(items),
    bytesAfter: bytesIn(items) - bytesIn(gone),
  };
}

/** The features of each input that is a case of the target, by its index. */
async function featuresOfAll(
  target: string,
  { batch, crew, corpus }: { batch: readonly Input[]; crew: Crew; corpus: Corpus },
): Promise<Map<number, readonly number[]>> {
  const found = new Map<number, readonly number[]>();
  const stored = batch.map(({ json }) => json);
  // After the first input that ends a worker, each runs alone.
  let most = batch.length;
  for (let from = 0; from < batch.length && crew.interrupted === undefined;) {
    const to = Math.min(batch.length, from + most);
    const answer = await crew.worker(0).ask({
      ask: "cases",
      range: { target, seed: 0, from, to, stored },
      milliseconds: FOREVER,
      known: [],
      lists: true,
    });
    if (answer.say === "ran" && answer.trouble === undefined) {
      for (const [index, features] of answer.features ?? []) found.set(index, features);
      for (const reason of answer.unusable ?? []) corpus.skip(reason);
      from = Math.max(answer.to, from + 1);
    } else if (answer.say !== "lost") throw new HarnessError(troubleIn(answer));
    else if (most > 1) most = 1;
    else found.set(from++, [failureFeature(nameOf(answer.fault))]);
  }
  return found;
}

function troubleIn(answer: Answer): string {
  if (answer.say === "ran") return answer.trouble ?? "";
  return answer.say === "refused" ? answer.message : "the worker did not answer the question";
}

/** Lists of so many inputs. */
function* batchesOf(inputs: Iterable<Input>): Generator<Input[]> {
  let batch: Input[] = [];
  for (const input of inputs) {
    batch.push(input);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
