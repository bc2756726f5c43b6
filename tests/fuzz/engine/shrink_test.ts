import * as fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { type Attempt, attempt } from "../../../fuzz/engine/fault.ts";
import { caseAt, followPath } from "../../../fuzz/engine/random.ts";
import { shrink, type ShrinkTools } from "../../../fuzz/engine/shrink.ts";
import { Failure, type Target } from "../../../fuzz/engine/target.ts";
import { HELD, toy } from "./toys.ts";

interface Numbered {
  n: number;
  odd: boolean;
}

const cases = fc.record({ n: fc.nat(100_000), odd: fc.boolean() });
const context = { directory: "/nowhere", tools: {} };
const stream = { seed: 1, target: "toy" };

/** Every small number fails in one way, and every number from 11 on that is called odd in another. */
const twoBugs = toy("two-bugs", cases, ({ n, odd }) => {
  if (n <= 5) throw new Failure("small", `${n} is small`);
  if (odd && n >= 11) throw new Failure("odd", `${n} is odd`);
  return HELD;
}) as Target;

const smallest = { n: 11, odd: true };

function firstFailure(signature: string) {
  for (let index = 0;; index++) {
    const value = caseAt(cases, stream, index);
    const fault = attempt(twoBugs, value.value, context) as Attempt;
    if ("signature" in fault && fault.signature === signature) return { value, fault };
  }
}

function tools(changes: Partial<ShrinkTools<Numbered>> = {}): ShrinkTools<Numbered> {
  return {
    attempt: (value) => attempt(twoBugs, value, context),
    done: () => false,
    onCandidate: () => true,
    ...changes,
  };
}

Deno.test("shrink() ends at the smallest case with the signature of the first failure", async () => {
  const failing = firstFailure("odd");
  const shrunk = await shrink({ cases, ...failing, path: [] }, tools());
  assertEquals(shrunk.value.value, smallest);
  assertEquals(shrunk.fault.signature, "odd");
  assertEquals(shrunk.fault.message, "11 is odd");
  assert(shrunk.complete);
});

Deno.test("shrink() gives the path to where it ended", async () => {
  const failing = firstFailure("odd");
  const shrunk = await shrink({ cases, ...failing, path: [] }, tools());
  assertEquals(followPath(cases, failing.value, shrunk.path)?.value, smallest);
});

Deno.test("shrink() goes on from a path", async () => {
  const failing = firstFailure("odd");
  let tries = 0;
  const early = await shrink(
    { cases, ...failing, path: [] },
    tools({ done: () => tries++ >= 4 }),
  );
  assert(!early.complete);
  const late = await shrink({ cases, ...early }, tools());
  assertEquals(late.value.value, smallest);
  assertEquals(followPath(cases, failing.value, late.path)?.value, smallest);
});

Deno.test("shrink() awaits targets that answer later", async () => {
  const failing = firstFailure("odd");
  const later = tools({
    attempt: (value) => Promise.resolve().then(() => attempt(twoBugs, value, context)),
  });
  const shrunk = await shrink({ cases, ...failing, path: [] }, later);
  assertEquals(shrunk.value.value, smallest);
});

Deno.test("shrink() gives the case back when there is no time at all", async () => {
  const failing = firstFailure("odd");
  const shrunk = await shrink({ cases, ...failing, path: [] }, tools({ done: () => true }));
  assertEquals(shrunk, { ...failing, path: [], tried: 0, complete: false });
});

Deno.test("shrink() reports the path of each candidate before it is run", async () => {
  const failing = firstFailure("odd");
  const told: string[] = [];
  let told1: number[] = [];
  const shrunk = await shrink(
    { cases, ...failing, path: [] },
    tools({
      onCandidate: (path, ordinal) => {
        told1 = [...path, ordinal];
        told.push(told1.join(":"));
        return true;
      },
      attempt: (value) => {
        assertEquals(followPath(cases, failing.value, told1)?.value, value);
        return attempt(twoBugs, value, context);
      },
    }),
  );
  assertEquals(told.length, shrunk.tried);
  assertEquals(new Set(told).size, told.length);
});
