import { MemorySource } from "../../src/bytes/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import { HarnessError, type Target } from "../engine/mod.ts";
import { fileOf, images } from "../formats/mod.ts";
import { judged, recorded, targets } from "../targets/mod.ts";
import { caseOf } from "./choices.ts";

/** What Jazzer.js calls with each input. */
export type Entry = (input: Uint8Array) => void | Promise<void>;

/** A target for Jazzer.js. */
export interface JazzerTarget {
  /** Letters, digits and `_` alone: ClusterFuzz accepts no others. */
  readonly name: string;
  /** What an input is: an image, or the choices from which a case is made. */
  readonly input: "image" | "choices";
  /** The format of the images. */
  readonly format?: string;
}

/** Recorded images are on the disk. */
const inProcess: readonly Target[] = targets.filter(({ name, needs = [], onlyByName }) =>
  needs.length === 0 && onlyByName !== true && name !== recorded.name
);

function nameOf(target: string): string {
  return target.replaceAll("-", "_");
}

/** The targets: any bytes as an image of each format, and all properties that need no tool. */
export const jazzerTargets: readonly JazzerTarget[] = [
  ...images.map(({ format: { name } }): JazzerTarget => ({
    name: `${name}_image`,
    input: "image",
    format: name,
  })),
  ...inProcess.map(({ name }): JazzerTarget => ({ name: nameOf(name), input: "choices" })),
];

/**
 * The function of a target.
 *
 * @throws {TypeError} if there is no target of this name
 */
export function entryOf(wanted: string): Entry {
  const kit = images.find(({ format }) => `${format.name}_image` === wanted);
  if (kit !== undefined) {
    return named((input) => {
      // Jazzer.js uses the bytes of an input again.
      const source = new MemorySource(input.slice());
      judged(kit, { files: [{ name: fileOf(kit), source }], key: "none" });
    });
  }
  const target = inProcess.find(({ name }) => nameOf(name) === wanted);
  if (target === undefined) throw new TypeError(`Cannot fuzz ${wanted}: there is no such target`);
  const cases = target.cases();
  return named((input) => {
    const value = storedCase(target, input) ?? caseOf(cases, input);
    const report = target.run(value, { directory: "", tools: {} });
    if (report instanceof Promise) return report.then(() => {});
  });
}

const BRACE = 0x7b;

/** An input that is the JSON of a case, as a kept corpus has it; otherwise `undefined`. */
function storedCase<Case>(target: Target<Case>, input: Uint8Array): Case | undefined {
  if (input[0] !== BRACE) return undefined;
  try {
    const value = target.fromJson(JSON.parse(new TextDecoder().decode(input)) as Json);
    return target.repair === undefined ? value : target.repair(value);
  } catch {
    return undefined;
  }
}

/** ClusterFuzz recognises an uncaught error of Jazzer.js by this name alone. */
const ERROR_NAME = "Jazzer.js";

/**
 * The same function, whose errors ClusterFuzz recognises. Trouble of the machine is no error of the
 * target.
 */
export function named(entry: Entry): Entry {
  return (input) => {
    try {
      return entry(input)?.catch((error: unknown) => rethrow(error));
    } catch (error) {
      rethrow(error);
    }
  };
}

function rethrow(error: unknown): void {
  if (error instanceof HarnessError) return;
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const signature = (error as { signature?: string }).signature;
  const uncaught = new Error(
    `${name}: ${signature === undefined ? "" : `${signature}: `}${message}`,
  );
  uncaught.name = ERROR_NAME;
  if (stack !== undefined) uncaught.stack = stack.replace(/^[^\n]*/, String(uncaught));
  throw uncaught;
}
