import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  blank,
  boundariesOf,
  boundOf,
  bytes,
  type Constraint,
  type Context,
  type Decoded,
  type Field,
  firstBroken,
  judgeOf,
  rangeOf,
  rulesOf,
  type Struct,
  struct,
  u32,
  u64,
  u8,
} from "../../src/layout/mod.ts";
import { luks1Structures } from "../../src/luks1/mod.ts";
import { luks2Structures } from "../../src/luks2/mod.ts";
import { qcow1Structures } from "../../src/qcow1/mod.ts";
import { qcow2Structures } from "../../src/qcow2/mod.ts";
import { isRuleId, ruleOf } from "../../src/rules/mod.ts";

const structures: readonly Struct[] = [
  ...qcow1Structures,
  ...qcow2Structures,
  ...luks1Structures,
  ...luks2Structures,
];

/** Every constraint of every structure, with its field. */
const all = structures.flatMap(({ name, fields }) =>
  fields.flatMap((field) =>
    (field.constraints ?? []).map((constraint) => ({
      about: `${name}.${field.name}, ${rulesOf(constraint)}`,
      field,
      constraint,
    }))
  )
);

Deno.test("every constraint names rules of the catalogue", () => {
  assert(all.length > 100);
  const unknown = all.flatMap(({ constraint }) => rulesOf(constraint))
    .filter((rule) => !isRuleId(rule));
  assertEquals(unknown, []);
});

Deno.test("a rule whose sentence has numbers states the bounds of its constraints", () => {
  let stated = 0;
  for (const { about, field, constraint } of all) {
    for (const rule of rulesOf(constraint)) {
      const { says } = ruleOf(rule as Parameters<typeof ruleOf>[0]);
      const condition = numbersIn(constraint.when ?? "");
      const numbers = numbersIn(says).filter((number) => !condition.includes(number));
      const bounds = numbersOf(field, constraint);
      if (numbers.length === 0 || bounds.length === 0) continue;
      const missing = bounds.filter((forms) => !forms.some((form) => numbers.includes(form)));
      assertEquals(missing, [], `${about}: ${says}`);
      stated++;
    }
  }
  assert(stated > 50, `${stated}`);
});

/** The numbers of a sentence: `9`, `0x4000`, `2^63 - 2^30`, `1024 * 65535`, `32 MiB`. */
function numbersIn(sentence: string): bigint[] {
  const term = /(?<!\w)(0x[0-9a-f]+|\d+\^\d+|\d+)(?: ([*-]) (\d+\^\d+|\d+))?( MiB)?\b/gi;
  return [...sentence.matchAll(term)].map(([, first = "", sign, second = "0", mib]) => {
    const [left, right] = [valueOf(first), valueOf(second)];
    const value = sign === "*" ? left * right : left - right;
    return mib === undefined ? value : value << 20n;
  });
}

function valueOf(text: string): bigint {
  const [base = "", exponent] = text.split("^");
  return exponent === undefined ? BigInt(base) : BigInt(base) ** BigInt(exponent);
}

/** The numbers that a sentence about a constraint must contain, each in one of several forms. */
function numbersOf(field: Field, constraint: Constraint): bigint[][] {
  if ("nulTerminated" in constraint) return [[BigInt(field.width)]];
  if ("oneOf" in constraint) {
    const values = valuesOf(field, constraint);
    // A sentence may give a range.
    return [...new Set([values.at(0) ?? 0n, values.at(-1) ?? 0n])].map((value) => [value]);
  }
  if ("clear" in constraint) {
    const ranges = (field.bits ?? []).filter(({ name, reserved }) =>
      constraint.clear === "reserved" ? reserved : constraint.clear.includes(name)
    );
    // Either the bits that are clear, or the last one that need not be.
    return ranges.map(({ from }) => [BigInt(from), BigInt(from) - 1n]);
  }
  const bound = boundIn(constraint);
  if (typeof bound !== "number" && typeof bound !== "bigint") return [];
  const each = "each" in constraint && typeof constraint.each === "number" ? constraint.each : 1;
  // At most n or below n + 1, at least n or above n - 1; in bytes, or in what the field counts.
  const next = BigInt(bound) + ("min" in constraint ? -1n : 1n);
  return [[BigInt(bound), next, BigInt(bound) / BigInt(each)]];
}

function boundIn(constraint: Constraint): number | bigint | string | undefined {
  if ("min" in constraint) return constraint.min;
  if ("max" in constraint) return constraint.max;
  if ("multipleOf" in constraint) return constraint.multipleOf;
  if ("endsBy" in constraint) return constraint.endsBy;
  return "longest" in constraint ? constraint.longest : undefined;
}

function valuesOf(field: Field, { oneOf }: Extract<Constraint, { oneOf: unknown }>): bigint[] {
  return (oneOf === "values" ? Object.values(field.values ?? {}) : oneOf).map(BigInt);
}

Deno.test("each constraint holds up to its bound, and one value past it breaks its rules", () => {
  for (const { about, field, constraint } of all) {
    const { kept, broken } = examples(field, constraint);
    for (const rule of rulesOf(constraint)) {
      assertEquals(brokenBy(field, constraint, kept, rule), undefined, about);
      const found = brokenBy(field, constraint, broken, rule);
      assertEquals([found?.rule, found?.place], [rule, field.name], about);
      assert(found?.message.startsWith(`${field.name} of it `), found?.message);
    }
  }
});

type Example = { value: number | bigint | Uint8Array; context?: Context };

const SIZE = 65536;
const LENGTH = 4096;

/** Judges a structure of one field by one constraint. */
function brokenBy(
  field: Field,
  constraint: Constraint,
  { value, context }: Example,
  rule: string,
): ReturnType<typeof firstBroken> {
  const about = { section: "1", size: field.width };
  const alone = struct("alone", about, [{ ...field, constraints: [constraint] } as Field]);
  const typed = field.kind === "bigint" ? BigInt(value as bigint) : value;
  return firstBroken(alone, { [field.name]: typed } as Decoded<Struct>, {
    context: { ...contextOf(constraint), ...context },
    of: "it",
    place: (name) => name,
    rules: [rule],
  });
}

/** Makes every name of a constraint mean something. */
function contextOf(constraint: Constraint): Context {
  const sizes = Object.values(constraint).filter((part) => typeof part === "string");
  return {
    ...Object.fromEntries(sizes.map((name) => [name, SIZE])),
    ...("region" in constraint ? { [constraint.region]: LENGTH } : {}),
    ...(constraint.when === undefined ? {} : { [constraint.when]: true }),
  };
}

/** The last value for which a constraint holds, and one next to it for which it does not. */
function examples(field: Field, constraint: Constraint): { kept: Example; broken: Example } {
  const pair = (kept: Example["value"], broken: Example["value"]) => ({
    kept: { value: kept },
    broken: { value: broken },
  });
  const number = (bound: number | bigint | string) => typeof bound === "string" ? SIZE : bound;
  const each = "each" in constraint ? Number(number(constraint.each ?? 1)) : 1;
  if ("equals" in constraint) return pair(constraint.equals, constraint.equals.with(5, 0));
  if ("nulTerminated" in constraint) {
    const text = new Uint8Array(field.width).fill(0x61);
    return pair(text.with(field.width - 1, 0), text);
  }
  if ("zero" in constraint) {
    if (field.kind !== "bytes") return pair(0, 1);
    return pair(new Uint8Array(field.width), new Uint8Array(field.width).with(-1, 1));
  }
  if ("clear" in constraint) {
    const { from = 0 } = field.bits?.find(({ name, reserved }) =>
      constraint.clear === "reserved" ? reserved : constraint.clear.includes(name)
    ) ?? {};
    return field.kind === "bigint" ? pair(0n, 1n << BigInt(from)) : pair(0, 1 << from);
  }
  if ("oneOf" in constraint) {
    const [value = 0n] = valuesOf(field, constraint).slice(-1);
    return pair(Number(value), Number(value) + 1);
  }
  if ("endsBy" in constraint) {
    const last = BigInt(number(constraint.endsBy)) - BigInt(LENGTH);
    return pair(last, last + 1n);
  }
  if ("longest" in constraint) {
    const longest = Number(number(constraint.longest));
    const length = (bytes: number) => ({ value: 0, context: { [constraint.region]: bytes } });
    return { kept: length(longest), broken: length(longest + 1) };
  }
  if ("min" in constraint) {
    const least = Math.ceil(Number(number(constraint.min)) / each);
    return pair(least, least - 1);
  }
  if ("max" in constraint) {
    const most = Math.floor(Number(number(constraint.max)) / each);
    return pair(most, most + 1);
  }
  const { multipleOf, bits } = constraint;
  const unit = Number(number(multipleOf)) / each;
  const step = 1n << BigInt(field.bits?.find(({ name }) => name === bits)?.from ?? 0);
  return pair(unit, unit + Number(step));
}

Deno.test("boundariesOf() has the last value that holds and the first that does not", () => {
  for (const { about, field, constraint } of all) {
    if (!("min" in constraint || "max" in constraint || "oneOf" in constraint)) continue;
    const { kept, broken } = examples(field, constraint);
    const values = boundariesOf(field, contextOf(constraint));
    for (const { value } of [kept, broken]) {
      assert(values.includes(BigInt(value as number)), `${about}: ${value} of ${values}`);
    }
  }
});

const HIGH = 2n ** 63n - 2n ** 30n;

/** A structure with every sort of constraint. */
const sample = struct("sample", { section: "1", size: 64 }, [
  u32("level", {
    doc: "L.",
    constraints: [{ min: 9, rule: "level" }, { max: 21, rule: "level" }],
  }),
  u32("count", {
    doc: "C.",
    unit: "entries",
    constraints: [
      { min: 1, rule: "some" },
      { max: 2 ** 25, each: 8, rule: "short" },
      { min: 4, when: "in version 3", rule: "many" },
    ],
  }),
  u64("table", {
    doc: "T.",
    unit: "bytes",
    pointsTo: "entry",
    constraints: [
      { multipleOf: "cluster size", rule: "place" },
      { region: "L1 table", endsBy: HIGH, rule: "place" },
      { region: "L1 table", longest: 8192, rule: "length" },
    ],
  }),
  u64("entry", {
    doc: "E.",
    bits: [
      { name: "zero", from: 0, to: 0, doc: "Z." },
      { name: "low", from: 1, to: 8, doc: "R.", reserved: true },
      { name: "offset", from: 9, to: 55, doc: "O." },
    ],
    constraints: [
      { clear: "reserved", rule: "reserved" },
      { clear: ["zero", "low"], rule: "unused" },
      { multipleOf: "cluster size", bits: "offset", rule: "aligned" },
    ],
  }),
  u32("start", {
    doc: "S.",
    unit: "sectors",
    constraints: [{ multipleOf: 4096, each: 512, rule: "start" }],
  }),
  u8("method", {
    doc: "M.",
    values: { none: 0, aes: 1, luks: 2 },
    constraints: [{ oneOf: "values", rule: "method" }],
  }),
  u8("spare", { doc: "S.", constraints: [{ zero: true, rule: "spare" }] }),
  bytes("magic", 2, {
    doc: "M.",
    constraints: [{ equals: Uint8Array.of(0xba, 0xbe), rule: "magic" }],
  }),
  bytes("name", 16, { doc: "N.", constraints: [{ nulTerminated: true, rule: "name" }] }),
  bytes("rest", 16, { doc: "R.", constraints: [{ zero: true, rule: "spare" }] }),
]);

/** What is wrong with the sample when some of its fields have other values. */
function messages(fields: Partial<Decoded<typeof sample>>, rule: string): string[] {
  const found: string[] = [];
  judgeOf(sample, { ...blank(sample), ...fields }, {
    context: { "cluster size": 512, "L1 table": 8000, "in version 3": true },
    place: () => undefined,
    findings: { add: (_rule, _place, message) => found.push(message()) },
  })(rule);
  return found;
}

Deno.test("a message says which condition failed, with the value, its unit and the bound", () => {
  assertEquals(messages({ level: 8 }, "level"), ["level is 8, less than 9"]);
  assertEquals(messages({ level: 22 }, "level"), ["level is 22, more than 21"]);
  assertEquals(messages({ count: 0 }, "some"), ["count is 0"]);
  assertEquals(messages({ count: 3 }, "many"), ["count is 3 entries, less than 4 (in version 3)"]);
  assertEquals(messages({ count: 4194305 }, "short"), [
    "count is 4194305 entries (33554440 bytes), more than 32 MiB",
  ]);
  assertEquals(messages({ table: 0x201n }, "place"), [
    "table is 0x201, not a multiple of the cluster size (512)",
  ]);
  assertEquals(messages({ table: HIGH - 512n }, "place"), [
    "table is 0x7fffffffbffffe00: the L1 table of 8000 bytes ends above 2^63 - 2^30",
  ]);
  assertEquals(messages({ entry: 0x40400n }, "aligned"), []);
  assertEquals(messages({ entry: 0x82n }, "reserved"), ["entry has reserved bits set (0x82)"]);
  assertEquals(messages({ entry: 0x83n }, "unused"), [
    "entry has zero and reserved bits set (0x83)",
  ]);
  assertEquals(messages({ start: 1 }, "start"), [
    "start is 1 sector (512 bytes), not a multiple of 4096 bytes",
  ]);
  assertEquals(messages({ method: 3 }, "method"), ["method is 3, not 0, 1 or 2"]);
  assertEquals(messages({}, "magic"), ["magic is 0000, not babe"]);
  assertEquals(messages({ name: new Uint8Array(16).fill(97) }, "name"), ["name has no NUL byte"]);
});

Deno.test("a field breaks a rule once, and every field that breaks it is found", () => {
  const both = messages({ spare: 7, rest: new Uint8Array(16).with(3, 0xff) }, "spare");
  assertEquals(both, ["spare is 7, not 0", "rest is not all zeros: byte 3 is 0xff"]);
  // Neither a multiple of the cluster size nor low enough.
  assertEquals(messages({ table: HIGH + 1n }, "place").length, 1);
});

Deno.test("judgeOf() rejects a rule that no constraint names, and a name without a meaning", () => {
  const judge = judgeOf(sample, blank(sample), {
    place: () => undefined,
    findings: { add: () => undefined },
  });
  assertThrows(() => judge("other"), TypeError, "Cannot find other in sample");
  assertThrows(() => judge("place"), TypeError, "Cannot judge without the cluster size");
  assertEquals(judge("many"), true);
});

Deno.test("boundOf() and rangeOf() return the bounds of constraints", () => {
  assertEquals(boundOf(sample, "short"), 2 ** 25);
  assertThrows(() => boundOf(sample, "aligned"), TypeError, "bound of");
  assertEquals(rangeOf(sample, "level"), { min: 9, max: 21 });
  assertEquals(rangeOf(sample, "count"), { min: 1, max: 2 ** 22 });
  assertEquals(rangeOf(sample, "spare"), { min: 0, max: 255 });
});
