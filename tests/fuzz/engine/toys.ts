import * as fc from "fast-check";
import { MemorySource } from "../../../src/bytes/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import {
  type CaseReport,
  Failure,
  HarnessError,
  type Target,
} from "../../../fuzz/engine/target.ts";

/** A report that says nothing. */
export const HELD: CaseReport = { depth: "accepted", rules: [] };

/** A target over any arbitrary of plain JSON. */
export function toy<Case>(
  name: string,
  cases: fc.Arbitrary<Case>,
  run: Target<Case>["run"],
): Target<Case> {
  return {
    name,
    says: "a toy",
    weight: 1,
    cases: () => cases,
    toJson: (value) => value as Json,
    fromJson: (json) => json as Case,
    files: (value) => [{ name: "toy", source: new MemorySource(bytesOf(value)) }],
    describe: (value) => JSON.stringify(value),
    run,
  };
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const number = fc.nat(100_000);

/** Never returns, and leaves the processor to others, which the toy `hang` does not. */
function block(): void {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Targets for a worker in which the engine is tested; the engine's own are the canaries. */
export const toys: readonly Target[] = [
  toy("empty", fc.constant(0), () => HELD),
  toy("empty-async", fc.constant(0), () => Promise.resolve(HELD)),
  toy("record", fc.record({ a: number, b: number, c: fc.boolean() }), () => HELD),
  toy("counting", number, (value) => ({
    depth: value % 2 === 0 ? "header" : "data",
    rules: value % 3 === 0 ? ["rule.three"] : [],
    ...(value % 5 === 0 ? { divergences: ["five"] } : {}),
    ...(value % 7 === 0 ? { skipped: "seven" } : {}),
  })),
  toy("two-bugs", fc.record({ n: number, odd: fc.boolean() }), ({ n, odd }) => {
    if (n >= 50_000) throw new Failure("large", `${n} is large`);
    if (odd && n >= 11) throw new Failure("odd", `${n} is odd`);
    return HELD;
  }),
  toy("async-bug", number, async (value) => {
    await Promise.resolve();
    if (value >= 77) throw new Failure("async", `${value} is large`);
    return HELD;
  }),
  toy("forgetful", number, forgetful()),
  toy(
    "broken-generator",
    fc.nat().map((): number => {
      throw new TypeError("no case for you");
    }),
    () => HELD,
  ),
  {
    ...toy("no-images", number, () => HELD),
    cases: () => {
      throw new HarnessError("There are no images");
    },
  },
  toy("full-disk", number, () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  }),
  toy("no-peer", number, () => {
    const error = new Error("qemu-img cannot be started");
    error.name = "PeerError";
    throw error;
  }),
  { ...toy("needs-qemu", number, () => HELD), needs: ["qemu-img", "qemu-io"] },
  toy("lost-promise", number, async (value) => {
    if (value >= 10) Promise.reject(new RangeError("lost"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return HELD;
  }),
  toy("hang", number, (value) => {
    if (value >= 10) { for (;;); }
    return HELD;
  }),
  toy(
    "rare-hang",
    fc.record({ edits: fc.array(fc.nat(50), { maxLength: 6 }), n: number }),
    (value) => {
      if (value.edits.includes(7)) block();
      return HELD;
    },
  ),
  toy("hangs-in-steps", number, (value, { at }) => {
    at?.("open");
    if (value % 10 === 3) block();
    at?.("map");
    if (value % 10 === 4) block();
    return HELD;
  }),
  toy("rare-hoard", number, (value) => {
    if (value % 20 !== 7) return HELD;
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Uint8Array(2 ** 20).fill(1));
  }),
  toy("shrinks-into-a-hang", number, (value) => {
    if (value >= 1000) throw new Failure("large", `${value} is large`);
    if (value >= 10) block();
    return HELD;
  }),
  digits("deep", (value) => {
    if (value >= 100) throw new Failure("deep", `${value} is deep`);
  }),
  digits("deep-hang", (value) => {
    if (value >= 100) block();
  }),
  { ...toy("directory", number, directoryIsEmpty), start: () => Promise.resolve() },
];

/** Numbers of one digit. Only a mutation of a mutation has three. */
function digits(name: string, check: (value: number) => void): Target<number> {
  const run = (value: number): CaseReport => {
    check(value);
    return { ...HELD, rules: [...String(value)].map((digit, at) => `rule.${at}-${digit}`) };
  };
  return {
    ...toy(name, fc.nat({ max: 9 }), run),
    repair: (value) => {
      if (Number.isInteger(value)) return value;
      throw new TypeError("Cannot use the case: it is no number");
    },
    mutate: (value, { random }) => value * 10 + random.nextInt(0, 9),
  };
}

/** Fails the first time only. */
function forgetful(): () => CaseReport {
  let failed = false;
  return () => {
    if (failed) return HELD;
    failed = true;
    throw new Failure("forgetful", "Never again");
  };
}

function directoryIsEmpty(_: number, { directory }: { directory: string }): CaseReport {
  const left = [...Deno.readDirSync(directory)].length;
  if (left > 0) throw new Failure("left", `${left} files are left of the last case`);
  Deno.mkdirSync(`${directory}/folder`);
  Deno.writeTextFileSync(`${directory}/folder/file`, "x");
  return HELD;
}
