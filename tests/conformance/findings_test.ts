/** One cause is one finding. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Cause,
  causeOfFeature,
  causeOfRule,
  causesOf,
  type FindingCase,
  FindingList,
  KnownFindingsError,
  knownText,
  type Observation,
  parseKnown,
  withKnown,
  withNewFindings,
} from "../../src/conformance/mod.ts";
import type { FailureKind } from "../../src/peers/mod.ts";

const RULE = "qcow2.header.version";
const OTHER = "qcow2.header.cluster-bits-min";

function pass(image: string, ...features: string[]): Observation {
  return { image, operation: "digest", features };
}

function fail(image: string, features: string[], more: Partial<Observation> = {}): Observation {
  return { image, operation: "digest", features, kind: "wrong-content", ...more };
}

function named(observed: readonly Observation[]): Record<string, string> {
  const causes = causesOf(observed);
  return Object.fromEntries(
    [...causes].map(([{ image }, { type, name }]) => [image, `${type} ${name}`]),
  );
}

Deno.test("the cause is the feature that failing images have in common and passing ones lack", () => {
  const observed = [
    pass("a", "qcow2.v3"),
    pass("b", "qcow2.v3", "backing"),
    fail("c", ["qcow2.v3", "zstd"]),
    fail("d", ["qcow2.v3", "zstd", "backing"]),
  ];
  assertEquals(named(observed), { c: "feature zstd", d: "feature zstd" });
  const [cause] = causesOf(observed).values();
  assertEquals(cause?.evidence, { failing: 2, passing: 0 });
  assertEquals(cause?.says, "compression type zstd");
});

Deno.test("two causes are two findings, and one image with both has the more frequent one", () => {
  const observed = [
    pass("a", "qcow2.v3"),
    fail("b", ["qcow2.v3", "zstd"]),
    fail("c", ["qcow2.v3", "zstd"]),
    fail("d", ["qcow2.v3", "zstd", "extended-l2"]),
    fail("e", ["qcow2.v3", "extended-l2"]),
    fail("f", ["qcow2.v3", "extended-l2"]),
  ];
  const zstd = "feature zstd";
  const extended = "feature extended-l2";
  assertEquals(named(observed), { b: zstd, c: zstd, d: zstd, e: extended, f: extended });
});

Deno.test("a pair of features is the cause if images with either one pass", () => {
  const observed = [
    pass("a", "zstd"),
    pass("b", "backing"),
    ...["c", "d", "e"].map((image) => fail(image, ["zstd", "backing"])),
  ];
  assertEquals(named(observed)["c"], "feature zstd+backing");
});

Deno.test("a feature is the cause if a few images that need it pass, and the evidence says so", () => {
  const observed = [
    ...["a", "b", "c", "d"].map((image) => pass(image, "qcow2.v3")),
    pass("e", "qcow2.v3", "backing"),
    ...["f", "g", "h", "i", "j"].map((image) => fail(image, ["qcow2.v3", "backing"])),
  ];
  assertEquals(named(observed)["f"], "feature backing");
  const [cause] = causesOf(observed).values();
  assertEquals(cause?.evidence, { failing: 5, passing: 1 });
});

Deno.test("what all failing images need is their cause, unless many passing ones need it", () => {
  const failing = ["a", "b", "c", "d", "e"];
  const observed = (feature: string, passing: number) => [
    ...Array.from({ length: 20 }, (_, at) => pass(`${at}`, ...(at < passing ? [feature] : []))),
    ...failing.map((image) => fail(image, [feature])),
  ];
  assertEquals(named(observed("backing", 5))["a"], "feature backing");
  assertEquals(named(observed("backing", 6))["a"], "image a");
});

Deno.test("two images that were made to show something may fail for another reason", () => {
  const observed = (count: number) => [
    pass("x"),
    ...Array.from({ length: count }, (_, at) => fail(`${at}`, [], { shows: ["cluster-512"] })),
  ];
  assertEquals(named(observed(3))["0"], "image 0");
  assertEquals(named(observed(4))["0"], "feature cluster-512");
});

Deno.test("without a feature the cause is the rule, and without a rule the image", () => {
  const observed = [
    pass("a", "qcow2.v3"),
    fail("b", ["qcow2.v3"], { rule: RULE }),
    fail("c", ["qcow2.v3"]),
  ];
  assertEquals(named(observed), { b: `rule ${RULE}`, c: "image c" });
});

Deno.test("crashes with one message are one finding, whatever the rules and images", () => {
  const kind = "crash";
  const at = (folder: string, line: number) =>
    `SIGABRT: thread 'main' panicked at ${folder}/table.rs:${line}: no such entry`;
  const observed = [
    pass("a", "qcow2.v3"),
    fail("b", ["qcow2.v3"], { kind, message: at("/tmp/x1", 10), rule: RULE }),
    fail("c", ["qcow2.v3"], { kind, message: `${at("/tmp/y2", 11)}\nkilled`, rule: OTHER }),
    fail("d", ["qcow2.v3"], { kind, message: at("/tmp/z3", 12), operation: "info" }),
    fail("e", ["qcow2.v3"], { kind, message: "SIGABRT: another message" }),
    fail("f", ["qcow2.v3", "zstd"], { kind, message: at("/tmp", 1) }),
    fail("g", ["qcow2.v3", "zstd"], { kind, message: at("/tmp", 1) }),
  ];
  const one = "message SIGABRT: thread 'main' panicked at table.rs:N: no such entry";
  const zstd = "feature zstd";
  assertEquals(named(observed), { b: one, c: one, d: one, e: "image e", f: zstd, g: zstd });
});

Deno.test("crashes with one message about one rule have that rule as their cause", () => {
  const more = { kind: "crash", message: "index out of range", rule: RULE } as const;
  const observed = [pass("a"), fail("b", [], more), fail("c", [], more)];
  assertEquals(named(observed), { b: `rule ${RULE}`, c: `rule ${RULE}` });
});

Deno.test("hangs and crashes without a message are one finding, except where a rule explains one", () => {
  const kept = { ...pass("a"), rule: RULE };
  for (const kind of ["hang", "crash"] as const) {
    const more = { kind, message: kind === "crash" ? "SIGSEGV: " : "No answer within 5000 ms" };
    const observed = [
      kept,
      pass("e"),
      fail("b", [], { ...more, rule: RULE }),
      fail("c", [], { ...more, rule: OTHER }),
      fail("d", [], more),
    ];
    const one = `message ${kind === "crash" ? "SIGSEGV:" : "no answer in time"}`;
    assertEquals(named(observed), { b: `rule ${RULE}`, c: one, d: one });
  }
});

Deno.test("an image that is accepted against a rule has that rule as its cause", () => {
  const kind = "accepts-invalid";
  const observed = [
    pass("a", "qcow2.v3"),
    fail("b", ["zstd"], { kind, rule: RULE, broken: [OTHER] }),
    fail("c", ["zstd"], { kind, rule: RULE, broken: [OTHER, RULE] }),
  ];
  assertEquals(named(observed), { b: `rule ${OTHER}`, c: `rule ${RULE}` });
});

Deno.test("a member that is wrong in every image is one finding", () => {
  const observed = ["a", "b"].map((image): Observation =>
    fail(image, [image], { operation: "info", kind: "wrong-info", member: "/virtual-size" })
  );
  const name = "operation info.virtual-size";
  assertEquals(named(observed), { a: name, b: name });
});

const RULE_CAUSE = causeOfRule(RULE);

function failure(kind: FailureKind, cause: Cause, more: Partial<FindingCase> = {}) {
  const base = { image: "a", question: "info", operation: "info", bytes: 10 } as const;
  const answers = { expected: "rejected", answered: "accepted" };
  return { kind, cause, case: { ...base, ...answers, ...more }, when: "2026-01-01T00:00:00Z" };
}

Deno.test("findings are grouped by kind and cause, the worst first, with the smallest case", () => {
  const list = new FindingList();
  const zstd = causeOfFeature(["zstd"]);
  assertEquals(list.add(failure("accepts-invalid", RULE_CAUSE)), true);
  assertEquals(list.add(failure("accepts-invalid", RULE_CAUSE, { bytes: 5, image: "b" })), false);
  list.add(failure("accepts-invalid", RULE_CAUSE, { operation: "map", question: "map" }));
  list.add(failure("hang", zstd));
  list.add(failure("wrong-content", zstd));
  assertEquals(
    list.findings.map(({ slug, count, images, operations, smallest, securityRelevant }) => [
      slug,
      count,
      images,
      operations.join(),
      smallest.image,
      securityRelevant,
    ]),
    [
      ["wrong-content-zstd", 1, 1, "info", "a", false],
      ["hang-zstd", 1, 1, "info", "a", true],
      [`accepts-invalid-${RULE}`, 3, 2, "info,map", "b", false],
    ],
  );
  const { cause } = list.findings.at(-1) ?? {};
  assertEquals(cause?.rule, { class: "spec", level: "must", section: cause?.rule?.section ?? "" });
  assertEquals(cause?.says?.endsWith("."), true);
});

Deno.test("a limited list keeps the smallest cases and counts all of them", () => {
  const list = new FindingList({ casesMax: 2 });
  for (const bytes of [9, 3, 7, 1, 8, 5]) list.add(failure("crash", RULE_CAUSE, { bytes }));
  const [finding] = list.findings;
  assertEquals(finding?.count, 6);
  assertEquals(finding?.cases.map(({ bytes }) => bytes), [1, 3]);
});

Deno.test("the slug of a finding is a name for a folder", () => {
  const list = new FindingList();
  list.add(failure("crash", { type: "image", name: "../x\n/<b>" }));
  assertEquals(list.findings[0]?.slug, "crash-..-x-b-");
});

Deno.test("known findings are read, written, and separated from new ones", () => {
  const list = new FindingList();
  list.add(failure("hang", RULE_CAUSE));
  list.add(failure("crash", RULE_CAUSE));
  const link = "https://example.org/1";
  const known = [{ slug: `hang-${RULE}`, reason: "slow", link }, { slug: "gone", reason: "old" }];
  assertEquals(parseKnown(knownText(known)).toSorted((a, b) => a.slug < b.slug ? 1 : -1), known);
  const result = withKnown(list.findings, known);
  assertEquals(result.findings.map((it) => [it.slug, it.known?.link]), [
    [`hang-${RULE}`, link],
    [`crash-${RULE}`, undefined],
  ]);
  assertEquals(result.notMet.map(({ slug }) => slug), ["gone"]);
  const written = withNewFindings(known, list.findings);
  assertEquals(written.map(({ slug }) => slug), [`hang-${RULE}`, "gone", `crash-${RULE}`]);
});

Deno.test("a file of known findings that cannot be used is an error that says why", () => {
  for (
    const [text, message] of [
      ["", "it is not JSON"],
      ["[]", 'it has no list "known"'],
      ['{"known": [{}]}', "known[0] has no slug"],
      ['{"known": [{"slug": "a", "reason": 1}]}', "the reason of a is no text"],
      ['{"known": [{"slug": "a"}, {"slug": "a"}]}', "a is listed twice"],
    ] as const
  ) {
    assertThrows(() => parseKnown(text), KnownFindingsError, message);
  }
});
