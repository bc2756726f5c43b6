import { caseAt, type CaseReport, Failure, type Target } from "../../fuzz/engine/mod.ts";
import { type StatefulCase, targets } from "../../fuzz/targets/mod.ts";

/** The targets that change images in memory, by the format of the image. */
export const FORMATS: readonly (readonly [format: string, target: Target])[] = [
  ["qcow2", targetNamed("stateful")],
  ["qcow", targetNamed("qcow-stateful")],
  ["raw", targetNamed("raw-stateful")],
];

function targetNamed(name: string): Target {
  const target = targets.find((it) => it.name === name);
  if (target === undefined) throw new TypeError(`There is no target ${name}`);
  return target;
}

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
 * @throws {Failure} if an image is not what its model says; its message names the command that finds it
 */
export async function runOperations(
  target: Target,
  { steps: most = Infinity, ms = Infinity }: Limit,
  seed = 1,
): Promise<Operations> {
  const { name } = target;
  const cases = target.cases();
  const started = performance.now();
  let steps = 0;
  for (let index = 0; steps < most && performance.now() - started < ms; index++) {
    const { value } = caseAt(cases, { seed, target: name }, index);
    const again = `deno task fuzz ${name} --seed ${seed} --runs ${index + 1}`;
    const { skipped } = await runCase(target, value, again);
    if (skipped === undefined) steps += (value as StatefulCase).steps.length;
  }
  return { steps, seconds: (performance.now() - started) / 1000 };
}

async function runCase(target: Target, value: unknown, again: string): Promise<CaseReport> {
  try {
    return await target.run(value, { directory: "", tools: {} });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.signature, `${error.message} (${again})`, error.details);
  }
}
