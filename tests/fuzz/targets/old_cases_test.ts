import { assert, assertEquals } from "@std/assert";
import { fingerprint, sparseFile } from "../../../fuzz/engine/extents.ts";
import type { Json } from "../../../src/format/mod.ts";
import type { CaseReport, Target } from "../../../fuzz/engine/target.ts";
import { targets } from "../../../fuzz/targets/mod.ts";

/** The members of artifacts, of release 0.1 or later, that a replay uses. */
interface OldCase {
  readonly target: string;
  readonly signature: string;
  readonly case: Json;
  readonly passphrases?: readonly string[];
  readonly files: readonly { name: string; size: number; fingerprint: string }[];
}

const cases: readonly OldCase[] = Deno.readTextFileSync(
  new URL("./old_cases.jsonl", import.meta.url),
).trim().split("\n").map((line) => JSON.parse(line));

/** Targets that fail on purpose, or do not return. */
const CANARY = /^canary/;
/** An artifact of `golden` was a file with the name of the image. */
const GOLDEN = "golden";

function targetOf({ target: name }: OldCase): Target {
  const target = targets.find((candidate) => candidate.name === name);
  assert(target !== undefined, `there is no target ${name}`);
  return target;
}

Deno.test("there is a stored case of every target", () => {
  const names = new Set(cases.map(({ target }) => target));
  assertEquals(targets.map(({ name }) => name).filter((name) => !names.has(name)), []);
});

for (const name of new Set(cases.map(({ target }) => target))) {
  Deno.test(`${name}: stored cases stand for the same files and passphrases`, () => {
    for (const old of cases.filter(({ target }) => target === name)) {
      const target = targetOf(old);
      const value = target.fromJson(old.case);
      const passphrases = new Set(target.passphrases?.(value) ?? []);
      const again = target.fromJson(JSON.parse(JSON.stringify(target.toJson(value))));
      assertEquals(target.toJson(again), target.toJson(value));
      if (name === GOLDEN) continue;
      assertEquals(passphrases, new Set(old.passphrases ?? []));
      const files = target.files(value).map(({ name, source }) => {
        const file = sparseFile(source);
        return { name, size: file.size, fingerprint: fingerprint(file) };
      });
      // Canaries call their files by other names now.
      const names = old.files.map(({ name }) => name);
      const named = files.map((file, index) =>
        CANARY.test(name) ? { ...file, name: names[index] ?? "" } : file
      );
      assertEquals(named, old.files, JSON.stringify(old.case));
    }
  });

  if (CANARY.test(name)) continue;
  Deno.test(`${name}: stored cases pass`, async () => {
    for (const old of cases.filter(({ target }) => target === name)) {
      const target = targetOf(old);
      if (target.needs !== undefined) continue;
      const context = { directory: "", tools: {} };
      const { depth } = await target.run(target.fromJson(old.case), context) as CaseReport;
      assert(["header", "tables", "data", "accepted"].includes(depth));
    }
  });
}
