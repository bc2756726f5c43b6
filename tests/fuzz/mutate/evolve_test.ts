import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { randomAt } from "../../../fuzz/engine/random.ts";
import {
  applyEdits,
  type Edit,
  editDraws,
  EVOLVED_MAX,
  evolveEdits,
} from "../../../fuzz/mutate/mod.ts";
import type { BuiltImage } from "../../../src/format/mod.ts";
import { struct, u32, u64 } from "../../../src/layout/mod.ts";

const pair = struct("test.pair", { section: "1", size: 12 }, [
  u32("first", { doc: "First." }),
  u64("second", { doc: "Second." }),
]);

/** Two tables of three pairs behind a single one. */
const image: BuiltImage = {
  segments: [{ offset: 0, bytes: Uint8Array.from({ length: 84 }, (_, i) => i) }],
  size: 84,
  placed: [
    { path: "/one", offset: 0, length: 12, struct: pair, role: "header" },
    { path: "/many[0]", offset: 12, length: 36, struct: pair, count: 3, role: "table" },
    { path: "/many[1]", offset: 48, length: 36, struct: pair, count: 3, role: "table" },
  ],
};

const kept: Edit = { op: "set", path: "/many[0]/1/second", value: 5n };
const other: Edit = { op: "set", path: "/one/first", value: 77n };
const draws = fc.array(editDraws(), { minLength: 1, maxLength: 3 });

function evolved(index: number, edits: readonly Edit[] = [kept]): Edit[] {
  const random = randomAt({ seed: 1, target: "toy" }, index, 2);
  const fresh = () => draws.generate(random, undefined).value;
  return evolveEdits(edits, { image, unit: 512, random, fresh, others: [[other]] });
}

const all = Array.from({ length: 300 }, (_, index) => evolved(index));

Deno.test("evolveEdits() makes other edits, at most four, the same ones for the same random numbers", () => {
  for (const [index, edits] of all.entries()) {
    assert(edits.length >= 1 && edits.length <= EVOLVED_MAX);
    if (index < 20) assertEquals(evolved(index), edits);
    const source = applyEdits(image, edits);
    source.read(0, Math.min(source.size, 84));
  }
  const changed = all.filter((edits) =>
    JSON.stringify(edits, text) !== JSON.stringify([kept], text)
  );
  assert(changed.length > 270, `${changed.length} of 300`);
  const many = Array.from({ length: 50 }, () => kept);
  assertEquals(evolved(0, many).length, EVOLVED_MAX);
});

Deno.test("evolveEdits() has another value, another element, an edit of another case and a structure", () => {
  const some = (has: (edit: Edit) => boolean) => all.some((edits) => edits.some(has));
  assert(some((it) => it.op === "set" && it.path === kept.path && it.value !== 5n));
  assert(some((it) => it.op === "set" && it.path === "/many[1]/2/second" && it.value === 5n));
  assert(some((it) => it === other));
  assert(some((it) => it.op === "duplicate" || it.op === "swap"));
  assert(all.some((edits) => edits.length > 1 && edits.includes(kept)));
});

function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
