import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { Failure, HarnessError } from "../../../fuzz/engine/mod.ts";
import { caseOf, entryOf, jazzerTargets, named } from "../../../fuzz/jazzer/mod.ts";
import { targets } from "../../../fuzz/targets/mod.ts";

Deno.test("all properties that need no tool are targets for Jazzer.js", () => {
  const names = jazzerTargets.map(({ name }) => name);
  for (const { name, needs = [], onlyByName } of targets) {
    const isOne = needs.length === 0 && onlyByName !== true && name !== "golden";
    assertEquals(names.includes(name.replaceAll("-", "_")), isOne, name);
  }
  for (const name of names) assert(/^[a-z0-9_]+$/.test(name), name);
  assertThrows(() => entryOf("no_such_target"), TypeError, "no_such_target");
});

Deno.test("the same bytes are the same case, and most changed bytes change one choice", () => {
  const cases = fc.array(fc.nat(255), { minLength: 8, maxLength: 8 });
  const bytes = Uint8Array.from({ length: 400 }, (_, index) => index * 37);
  const own = caseOf(cases, bytes);
  assertEquals(own, caseOf(cases, bytes.slice()));
  const kept = Array.from({ length: 40 }, (_, at) => {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ 0x5a;
    return caseOf(cases, changed).filter((value, index) => value === own[index]).length;
  });
  assert(kept.filter((count) => count === 7).length >= 8, kept.join());
  // What is past the last choice does not matter, and an empty input is a case.
  const longer = Uint8Array.from([...bytes, 1, 2, 3]);
  assertEquals(caseOf(cases, longer), caseOf(cases, bytes));
  assertEquals(caseOf(cases, new Uint8Array()).length, 8);
});

Deno.test("inputs of every kind run: images, choices, and the JSON of a case", async () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index * 73);
  for (const name of ["qcow_image", "qcow2_image", "luks2_image", "qcow_open", "raw_stateful"]) {
    await entryOf(name)(bytes);
  }
  const target = targets.find(({ name }) => name === "raw-stateful");
  if (target === undefined) throw new Error("there is no raw-stateful");
  const value = caseOf(target.cases(), bytes);
  await entryOf("raw_stateful")(new TextEncoder().encode(JSON.stringify(target.toJson(value))));
});

Deno.test("an error gets the name that ClusterFuzz looks for, and keeps its message and place", async () => {
  const fail = (error: unknown) =>
    named(() => {
      throw error;
    });
  const thrown = assertThrows(() => fail(new RangeError("too far"))(new Uint8Array()), Error);
  assertEquals(`${thrown.name}: ${thrown.message}`, "Jazzer.js: RangeError: too far");
  assert(thrown.stack?.includes("entry_test.ts"), thrown.stack);
  const failure = new Failure("open.slow", "Judging took 9 s");
  const said = assertThrows(() => fail(failure)(new Uint8Array()), Error);
  assertEquals(said.message, "Failure: open.slow: Judging took 9 s");
  const later = named(() => Promise.reject(failure));
  await assertRejects(async () => await later(new Uint8Array()), Error, "open.slow");
  assertEquals(fail(new HarnessError("disk full"))(new Uint8Array()), undefined);
});
