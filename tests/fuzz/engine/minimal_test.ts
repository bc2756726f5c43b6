import * as fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { drops, isolated, lowered } from "../../../fuzz/engine/drops.ts";
import { attempt, type Fault, isFault, sameFault } from "../../../fuzz/engine/fault.ts";
import { caseAt, followPath } from "../../../fuzz/engine/random.ts";
import { shrink, type Shrunk } from "../../../fuzz/engine/shrink.ts";
import { Failure, type Target } from "../../../fuzz/engine/target.ts";
import { targets } from "../../../fuzz/targets/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import { HELD, toy } from "./toys.ts";

const context = { directory: "/nowhere", tools: {} };
const CASES = 120;

interface Found {
  readonly index: number;
  readonly value: fc.Value<unknown>;
  readonly fault: Fault;
}

/** The first case of each failure among the first cases of a target. */
async function failuresOf(target: Target): Promise<Found[]> {
  const cases = target.cases();
  const found = new Map<string, Found>();
  for (let index = 0; index < CASES; index++) {
    const value = caseAt(cases, { seed: 1, target: target.name }, index);
    const fault = await attempt(target, value.value, context);
    if (isFault(fault) && !found.has(fault.signature)) {
      found.set(fault.signature, { index, value, fault });
    }
  }
  return [...found.values()];
}

async function smallest(target: Target, { value, fault }: Found): Promise<Shrunk<unknown>> {
  return await shrink(
    { cases: target.cases(), drops: (it) => drops(target, it), value, fault, path: [] },
    {
      attempt: (candidate) => attempt(target, candidate, context),
      done: () => false,
      onCandidate: () => true,
    },
  );
}

/** Fails as `fault` does without one of its parts. */
async function partsTooMany(target: Target, { value, fault }: Shrunk<unknown>): Promise<string[]> {
  const needless: string[] = [];
  for (const less of drops(target, value.value)) {
    const result = await attempt(target, less, context);
    if (isFault(result) && sameFault(result, fault)) {
      needless.push(JSON.stringify(target.toJson(less)));
    }
  }
  return needless;
}

/** Canaries that return; the others end the process that runs them. */
const canaries = targets.filter(({ name }) =>
  name.startsWith("canary") && !["canary-hang", "canary-memory"].includes(name)
);

for (const target of canaries) {
  Deno.test(`${target.name}: every part that is left after shrinking is needed`, async () => {
    const failures = await failuresOf(target);
    assert(failures.length > 1);
    for (const failure of failures) {
      const shrunk = await smallest(target, failure);
      assertEquals(shrunk.fault.signature, failure.fault.signature);
      assert(shrunk.complete);
      assertEquals(await partsTooMany(target, shrunk), [], failure.fault.signature);
      const again = followPath(
        target.cases(),
        failure.value,
        shrunk.path,
        (it) => drops(target, it),
      );
      assertEquals(target.toJson(again?.value), target.toJson(shrunk.value.value));
    }
  });
}

interface Edited {
  readonly model: {
    readonly name: string;
    readonly parts?: readonly string[];
    readonly extra?: number;
  };
  readonly edits: readonly number[];
}

/** Fails where edits 3 and 5 meet a part called b, whatever else there is. */
const planted = {
  ...toy<Edited>(
    "planted",
    // Mapped without a way back, as cases with edits are: what is drawn does not say what comes of it.
    fc.tuple(fc.uniqueArray(fc.nat(7)), fc.boolean()).map(([edits, extra]) => ({
      model: { name: "image", parts: ["a", "b", "c"], ...(extra ? { extra: 1 } : {}) },
      edits,
    })),
    ({ model, edits }) => {
      if ([3, 5].every((edit) => edits.includes(edit)) && model.parts?.includes("b")) {
        throw new Failure("planted", "3 and 5 meet b");
      }
      return HELD;
    },
  ),
  repair: ({ model, edits }: Edited) => {
    if (model?.name === undefined || edits === undefined) throw new TypeError("There is no model");
    return { model, edits };
  },
} as Target;

Deno.test("shrink() drops edits, elements and members one by one until each is needed", async () => {
  const [failure] = await failuresOf(planted);
  assert(failure !== undefined);
  const { value } = await smallest(planted, failure);
  const { model, edits } = value.value as Edited;
  assertEquals([model, edits.toSorted()], [{ name: "image", parts: ["b"] }, [3, 5]]);
});

Deno.test("drops() gives each list without all, half and one of its elements", () => {
  const target = toy<Json>("list", fc.constant([]), () => HELD) as Target;
  assertEquals([...drops(target, [1, 2, 3])], [[], [3], [1, 2], [2, 3], [1, 3]]);
  assertEquals([...drops(target, { list: [1, [2]] })], [
    { list: [] },
    { list: [[2]] },
    { list: [1] },
    { list: [1, []] },
  ]);
});

Deno.test("drops() removes members only from values that can be repaired", () => {
  const plain = toy<Json>("plain", fc.constant([]), () => HELD) as Target;
  assertEquals([...drops(plain, { a: 1, b: 2 })], []);
  const needsA = {
    ...plain,
    repair: (value: unknown) => {
      if (!Object.hasOwn(value as object, "a")) throw new TypeError("Not without a");
      return value;
    },
  } as Target;
  assertEquals([...drops(needsA, { a: 1, b: 2 })], [{ a: 1 }]);
});

Deno.test("lowered() gives each number without all, half or a little of it, and each flag as false", () => {
  const target = { ...toy("any", fc.anything(), () => HELD), repair: (it: unknown) => it };
  assertEquals([...lowered(target, [4, "4", true])], [
    [0, "4", true],
    [2, "4", true],
    [3, "4", true],
    [4, "4", false],
  ]);
  assertEquals([...lowered(target, { size: { bigint: "3" } })], [
    { size: { bigint: "0" } },
    { size: { bigint: "1" } },
    { size: { bigint: "2" } },
  ]);
  const { repair: _, ...plain } = target;
  assertEquals([...lowered(plain, [4])], []);
});

Deno.test("lowered() gets to the least number in few steps", () => {
  const target = { ...toy("any", fc.anything(), () => HELD), repair: (it: unknown) => it };
  const least = 701;
  let [value, tried] = [2 ** 53 - 1, 0];
  for (let found = true; found;) {
    found = false;
    for (const lower of lowered(target, value)) {
      tried++;
      found = (lower as number) >= least;
      if (!found) continue;
      value = lower as number;
      break;
    }
  }
  assert(value === least && tried < 200, `${value} after ${tried}`);
});

Deno.test("lowered() leaves out what a repair makes as large again", () => {
  const atLeast3 = (it: unknown) => Math.max(3, it as number);
  const target = { ...toy("any", fc.anything(), () => HELD), repair: atLeast3 };
  assertEquals([...lowered(target, 4)], [3]);
  assertEquals([...lowered(target, 3)], []);
});

Deno.test("isolated() gives the first of drops(): lists that are members of the case", () => {
  const target = toy<Json>("list", fc.constant([]), () => HELD) as Target;
  const value = { model: { list: [1, 2] }, variants: [[3], [4]] };
  const first = [...isolated(target, value)];
  assertEquals(first, [
    { ...value, variants: [] },
    { ...value, variants: [[4]] },
    { ...value, variants: [[3]] },
  ]);
  const all = [...drops(target, value)];
  assertEquals(all.slice(0, first.length), first);
  assertEquals(all.slice(first.length), [
    { ...value, model: { list: [] } },
    { ...value, model: { list: [2] } },
    { ...value, model: { list: [1] } },
    { ...value, variants: [[], [4]] },
    { ...value, variants: [[3], []] },
  ]);
});

interface Varied {
  readonly model: { readonly clusters: readonly number[] };
  readonly variants: readonly number[];
}

Deno.test("shrink() isolates what fails among the variants before it makes the model smaller", async () => {
  const cases = fc.record({
    model: fc.record({ clusters: fc.array(fc.nat(1000), { minLength: 30, maxLength: 30 }) }),
    variants: fc.constant([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
  });
  const target = {
    ...toy<Varied>("varied", cases, ({ variants }) => {
      if (variants.includes(7)) throw new Failure("seven", "there is a seven");
      return HELD;
    }),
    repair: (value: Varied) => value,
  } as Target;
  const [failure] = await failuresOf(target);
  assert(failure !== undefined);
  let tried = 0;
  const { value } = await shrink(
    {
      ...{ cases, value: failure.value, fault: failure.fault, path: [] },
      drops: (it) => drops(target, it),
      isolated: (it) => isolated(target, it),
    } as Parameters<typeof shrink>[0],
    {
      attempt: (candidate) => attempt(target, candidate, context),
      done: () => tried++ >= 12,
      onCandidate: () => true,
    },
  );
  assertEquals((value.value as Varied).variants, [7]);
});
