import { isDeepStrictEqual } from "node:util";
import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import { isPublishedFeature } from "../../src/expect/mod.ts";
import { PeerError, withScratch } from "../../src/peers/mod.ts";
import {
  expectationsFor,
  expectationsInMemory,
  type PackedImage,
  unpackPacked,
} from "../../src/recorded/mod.ts";
import type { CaseSet } from "./export/case.ts";
import { recordedCases } from "./export/tree.ts";

const SETS: readonly string[] = ["corpus", "golden", "matrix"] satisfies CaseSet[];
const SECOND = 1000;

/**
 * `corpus verify`: judges every image again, and compares with its record.
 *
 * @returns the exit status
 * @throws {UsageError} when there is no such case
 */
export async function verify(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { values: ["set"], flags: ["all"] });
  const [text = "", ...others] = options.positional;
  if (others.length > 0) throw new UsageError(`unexpected argument '${others[0]}'`);
  const set = options.value("set") ?? "corpus";
  if (!SETS.includes(set)) {
    throw new UsageError(`unknown set '${set}' (supported: ${SETS.join(", ")})`);
  }
  const chosen = recordedCases().filter((each) =>
    (options.flag("all") || each.set === set) && each.name.includes(text)
  );
  if (chosen.length === 0) throw new UsageError(`no recorded case has '${text}' in its name`);
  const start = performance.now();
  let failed = 0;
  for (const { name, load } of chosen) {
    for (const problem of await problemsOf(load())) {
      print(`${name}: ${problem}`);
      failed++;
    }
  }
  const seconds = ((performance.now() - start) / SECOND).toFixed(1);
  print(`${chosen.length} cases judged in ${seconds} s, ${failed} problems`);
  return failed === 0 ? 0 : 1;
}

/** What is wrong with a recorded case. */
export async function problemsOf(image: PackedImage): Promise<string[]> {
  const { flags = [], expected: { features = [] } = {} } = image.record;
  const unknown = [
    ...flags.filter((flag) => !definedFlags().has(flag)).map((flag) => `the flag ${flag}`),
    ...features.filter((name) => !isPublishedFeature(name.toLowerCase())).map((name) =>
      `the feature ${name}`
    ),
  ].map((it) => `${it} is not defined`);
  try {
    return isAsRecorded(image) || await isAsRecordedOnDisk(image)
      ? unknown
      : [...unknown, "the verdict differs from the record (run deno task expectations)"];
  } catch (error) {
    if (error instanceof PeerError) return [...unknown, error.message];
    throw error;
  }
}

/** Whether the verdicts about an image of one file are those of its record; nothing is written. */
function isAsRecorded(image: PackedImage): boolean {
  const { files, header, expected } = image.record;
  if (files.length > 1 || header !== undefined) return false;
  return isDeepStrictEqual(expectationsInMemory(image), expected);
}

/** The same for any image: what its names lead to depends on the directory that it is in. */
async function isAsRecordedOnDisk(image: PackedImage): Promise<boolean> {
  const judged = await withScratch((directory) => {
    unpackPacked(image, directory);
    return Promise.resolve(expectationsFor(image.record, directory));
  });
  return isDeepStrictEqual(judged, image.record.expected);
}

let flagsRead: ReadonlySet<string> | undefined;

/** The flags of `corpus/flags.json`. */
export function definedFlags(): ReadonlySet<string> {
  const path = new URL("../flags.json", import.meta.url);
  return flagsRead ??= new Set(Object.keys(JSON.parse(Deno.readTextFileSync(path)).flags));
}
