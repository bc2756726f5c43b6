import { caseAt } from "../fuzz/engine/mod.ts";
import { type StatefulCase, targets } from "../fuzz/targets/mod.ts";

/** The targets that change images in memory, by the format of the image. */
export const FORMATS: readonly (readonly [format: string, target: string])[] = [
  ["qcow2", "stateful"],
  ["qcow", "qcow-stateful"],
  ["raw", "raw-stateful"],
];

/** When to stop: after so many steps, or so many milliseconds. */
export interface Limit {
  readonly steps?: number;
  readonly ms?: number;
}

/** The steps that were drawn, applied and compared with the model, and the time that it took. */
export interface Operations {
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Runs cases of a target in this process, as a fuzz run does it. Making the cases and the images counts.
 *
 * @throws {Failure} if an image is not what its model says
 */
export async function runOperations(
  name: string,
  { steps: most = Infinity, ms = Infinity }: Limit,
  seed = 1,
): Promise<Operations> {
  const target = targets.find((it) => it.name === name);
  if (target === undefined) throw new TypeError(`There is no target ${name}`);
  const cases = target.cases();
  const started = performance.now();
  let steps = 0;
  for (let index = 0; steps < most && performance.now() - started < ms; index++) {
    const { value } = caseAt(cases, { seed, target: name }, index);
    const { skipped } = await target.run(value, { directory: "", tools: {} });
    if (skipped === undefined) steps += (value as StatefulCase).steps.length;
  }
  return { steps, seconds: (performance.now() - started) / 1000 };
}
