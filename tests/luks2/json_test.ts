import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type JsonNode, parseJson } from "../../src/luks2/mod.ts";

function parse(text: string): ReturnType<typeof parseJson> {
  return parseJson(new TextEncoder().encode(text));
}

/** A value as `JSON.parse` gives it; numbers that are no integers are not kept. */
function plain(node: JsonNode | undefined): unknown {
  switch (node?.kind) {
    case "object":
      return Object.fromEntries([...node.members].map(([name, value]) => [name, plain(value)]));
    case "array":
      return node.items.map(plain);
    case "string":
      return node.text;
    case "int":
      return Number(node.value);
    default:
      return node?.kind;
  }
}

const INT_MIN = -(2 ** 63);
const INT_MAX = 2 ** 64;

/**
 * JSON without what the parser gives up of it: fractions, words, text behind a NUL, and integers
 * beyond 64 bits, which become the nearest that fits, as in json-c.
 */
function kept(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(kept);
  if (value === null) return "null";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") {
    if (!/^-?\d+$/.test(JSON.stringify(value))) return "double";
    return Math.min(Math.max(value, INT_MIN), INT_MAX);
  }
  if (typeof value === "string") return value.split("\0")[0];
  return Object.fromEntries(
    Object.entries(value as object).map(([name, part]) => [name.split("\0")[0], kept(part)]),
  );
}

Deno.test("parseJson() reads what JSON.stringify() writes", () => {
  const values = fc.jsonValue({ maxDepth: 5 }).filter((value) =>
    !/"\\u0000/.test(JSON.stringify(value))
  );
  fc.assert(fc.property(values, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
    const text = JSON.stringify(value, undefined, indent);
    const { root, fault, end } = parse(text);
    assertEquals(fault, undefined);
    assertEquals(end, new TextEncoder().encode(text).length);
    assertEquals(plain(root), kept(JSON.parse(text)));
  }));
});

Deno.test("parseJson() accepts what JSON.parse() accepts, without a finding", () => {
  const pieces = [
    '{"a":',
    "}",
    "[",
    "]",
    ",",
    "1",
    "-0",
    "1.5e3",
    '"x"',
    '"\\n\\u00e4"',
    "null",
    " ",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (drawn) => {
      const text = drawn.join("");
      let strict = true;
      try {
        JSON.parse(text);
      } catch {
        strict = false;
      }
      const { fault, lax, end } = parse(text);
      const whole = fault === undefined && end === text.length;
      assertEquals(whole && lax.length === 0, strict, text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseJson() accepts any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const { root, fault } = parseJson(bytes);
    assert((root === undefined) !== (fault === undefined));
  }));
});

Deno.test("parseJson() gives each value its place", () => {
  const { root } = parse(' {"a": [12, "é"], "b": {}} ');
  assert(root?.kind === "object");
  const [a, b] = [root.members.get("a"), root.members.get("b")];
  assertEquals([root.start, root.end], [1, 27]);
  assertEquals([a?.start, a?.end], [7, 17]);
  assert(a?.kind === "array");
  assertEquals(a.items.map(({ start, end }) => [start, end]), [[8, 10], [12, 16]]);
  assertEquals([b?.start, b?.end], [24, 26]);
});

Deno.test("parseJson() ends with a fault at its bounds, and one below them it does not", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assertEquals(parse(nested(32)).fault, undefined);
  assertEquals(parse(nested(33)).fault?.kind, "depth");
  const many = (count: number) => `[${"1,".repeat(count - 2)}1]`;
  assertEquals(parse(many(100_000)).fault, undefined);
  assertEquals(parse(many(100_001)).fault?.kind, "values");
});

Deno.test("an integer that does not fit 64 bits is the nearest that does", () => {
  const valueOf = (text: string) => {
    const { root } = parse(text);
    return root?.kind === "int" ? root.value : undefined;
  };
  assertEquals(valueOf("18446744073709551615"), 2n ** 64n - 1n);
  assertEquals(valueOf("18446744073709551616"), 2n ** 64n - 1n);
  assertEquals(valueOf(`1${"0".repeat(100_000)}`), 2n ** 64n - 1n);
  assertEquals(valueOf("-9223372036854775809"), -(2n ** 63n));
});
