/** An answer and an expectation make a kind of failure, or none. */

import { assertEquals } from "@std/assert";
import type { Expectation } from "../../src/expect/mod.ts";
import {
  accepted,
  type Answer,
  FAILURE_KINDS,
  type FailureKind,
  misconductOf,
  type Operation,
  type Outcome,
  rejected,
  unsupported,
} from "../../src/peers/mod.ts";

const ACCEPT: Expectation = { verdict: "must-accept" };
const REJECT: Expectation = { verdict: "must-reject", rules: ["qcow2.header.version"] };
const EITHER: Expectation = { verdict: "either", reason: "not-needed" };
const ANY: Expectation = { ...EITHER, anyAnswer: true };
const DIFFERENT = { path: "/sha256", left: "00", right: "01" };

function kindOf(
  expectation: Expectation,
  outcome: Outcome<unknown>,
  { operation = "digest", isRight = true, ...more }: Partial<Answer> & {
    operation?: Operation;
    isRight?: boolean;
  } = {},
): FailureKind | undefined {
  return misconductOf({
    ...{ operation, outcome, expectation, lacking: [], listsFeatures: false },
    ...more,
    differences: () => isRight ? [] : [DIFFERENT],
  })?.kind;
}

Deno.test("rejecting is right unless the image must be accepted", () => {
  const no = rejected("no");
  assertEquals(kindOf(ACCEPT, no), "refuses-valid");
  assertEquals([REJECT, EITHER, ANY].map((it) => kindOf(it, no)), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("accepting is right unless the image must be rejected", () => {
  const yes = accepted({});
  assertEquals(kindOf(REJECT, yes), "accepts-invalid");
  assertEquals([ACCEPT, EITHER, ANY].map((it) => kindOf(it, yes)), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("an accepted answer is compared, unless the format does not define it", () => {
  const wrong = { isRight: false };
  assertEquals(kindOf(ACCEPT, accepted({}), wrong), "wrong-content");
  assertEquals(kindOf(EITHER, accepted({}), wrong), "wrong-content");
  assertEquals(kindOf(ANY, accepted({}), wrong), undefined);
  const kinds = (["probe", "info", "map", "check", "unlock"] as const).map((operation) =>
    kindOf(ACCEPT, accepted({}), { ...wrong, operation })
  );
  assertEquals(kinds, ["wrong-info", "wrong-info", "wrong-map", "wrong-check", "wrong-info"]);
});

Deno.test("a check that reports damage has not accepted the image", () => {
  const check = (value: unknown) => kindOf(REJECT, accepted(value), { operation: "check" });
  assertEquals(check({ exitCode: 2, counts: { corruptions: 1 } }), undefined);
  assertEquals(check({ exitCode: 0, counts: { checkErrors: 1 } }), undefined);
  assertEquals(check({ exitCode: 0, counts: { leaks: 1 } }), "accepts-invalid");
  assertEquals(check({ exitCode: 0 }), "accepts-invalid");
});

Deno.test("a feature that is not listed may be lacking, and one that is listed may not", () => {
  const no = unsupported("no zstd");
  assertEquals(kindOf(ACCEPT, no), undefined);
  assertEquals(kindOf(ACCEPT, no, { listsFeatures: true }), "refuses-valid");
  assertEquals(kindOf(ACCEPT, no, { listsFeatures: true, lacking: ["zstd"] }), undefined);
  assertEquals(
    kindOf(ACCEPT, rejected("no"), { listsFeatures: true, lacking: ["zstd"] }),
    undefined,
  );
  assertEquals(
    kindOf(ACCEPT, accepted({}), { listsFeatures: true, lacking: ["zstd"], isRight: false }),
    "wrong-content",
  );
});

Deno.test("who gives no answer fails, whatever is expected", () => {
  const failures: [Outcome<unknown>, FailureKind][] = [
    [{ outcome: "crashed", message: "SIGSEGV: " }, "crash"],
    [{ outcome: "timed-out", message: "" }, "hang"],
    [{ outcome: "malformed-answer", message: "", printed: "" }, "malformed-answer"],
  ];
  for (const [outcome, kind] of failures) {
    for (const expectation of [ACCEPT, REJECT, EITHER, ANY]) {
      assertEquals(kindOf(expectation, outcome), kind);
    }
  }
});

Deno.test("wrong bytes are the worst failure", () => {
  assertEquals(FAILURE_KINDS[0], "wrong-content");
  assertEquals(new Set(FAILURE_KINDS).size, FAILURE_KINDS.length);
});
