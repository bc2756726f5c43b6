import { assert, assertEquals } from "@std/assert";
import { catalogue } from "../../src/formats.ts";
import {
  type Finding,
  Findings,
  FINDINGS_PER_RULE,
  isRuleId,
  refuses,
  ruleOf,
  specVerdict,
} from "../../src/rules/mod.ts";

function found(...rules: Parameters<typeof ruleOf>[0][]): Finding[] {
  const findings = new Findings();
  for (const rule of rules) findings.add(rule, { path: "/" }, "Something is wrong");
  return findings.list();
}

Deno.test("every rule has a unique slug, a section and a sentence", () => {
  assertEquals(new Set(catalogue.map(({ id }) => id)).size, catalogue.length);
  for (const { id, section, says } of catalogue) {
    assert(/^[a-z0-9]+(\.[a-z0-9-]+){2}$/.test(id), id);
    assert(section.length > 0, id);
    assert(/^[A-Z0-9a-z_].*[.]$/.test(says), `${id}: ${says}`);
  }
});

Deno.test("only a rule that rejects an open says which openings", () => {
  for (const rule of catalogue) {
    if (rule.opens !== undefined) assertEquals(rule.effect, "refused-at-open", rule.id);
  }
});

Deno.test("isRuleId() accepts the slugs of the catalogue and no others", () => {
  assert(isRuleId("qcow2.header.magic"));
  assertEquals(isRuleId("qcow2.header.magick"), false);
});

Deno.test("the first finding that rejects an opening is its reason", () => {
  const findings = new Findings();
  findings.add("qcow2.header.size-512", { path: "/header/size" }, "Odd");
  findings.add("qcow2.datafile.named", { path: "/header" }, "Nameless");
  assertEquals(findings.refusal("info"), undefined);
  assertEquals(findings.refusal("read")?.rule, "qcow2.datafile.named");
  assert(refuses(ruleOf("qcow2.header.magic"), "info"));
  assertEquals(refuses(ruleOf("qcow2.header.corrupt-rw"), "read"), false);
});

Deno.test("a rule broken a million times is listed up to a limit, with the number of further findings", () => {
  const findings = new Findings();
  let made = 0;
  for (let i = 0; i < 1_000_000; i++) {
    findings.add("qcow2.l2e.reserved", () => ({ path: `/${made++}` }), () => "Set");
  }
  const list = findings.list();
  assertEquals(list.length, FINDINGS_PER_RULE);
  assertEquals(made, FINDINGS_PER_RULE);
  assertEquals(findings.count("qcow2.l2e.reserved"), 1_000_000);
  assertEquals(list.at(-1)?.message, `Set (and ${1_000_000 - FINDINGS_PER_RULE} more places)`);
});

Deno.test("findings that are repeated count as if each had been added, and other rules do not", () => {
  const [each, repeated] = [new Findings(), new Findings()];
  const add = (findings: Findings) => {
    findings.add("qcow2.snap.size-differs", { path: "/snapshot" }, "Other size");
    findings.add("qcow2.snap.size-differs", { path: "/snapshot" }, "Other size");
    findings.add("qcow2.snap.unique-id", { path: "/snapshot" }, "Same id");
  };
  for (const findings of [each, repeated]) {
    findings.add("qcow2.header.size-512", { path: "/header" }, "Odd");
    for (let i = 0; i < FINDINGS_PER_RULE; i++) add(findings);
  }
  const counts = repeated.counts();
  add(repeated);
  repeated.repeat(counts, 99);
  for (let i = 0; i < 100; i++) add(each);
  assertEquals(repeated.list(), each.list());
  assertEquals(repeated.counts(), each.counts());
});

Deno.test("findings that are added together are as if each had been added", () => {
  const [each, together] = [new Findings(), new Findings()];
  const at = (index: number) => ({ path: `/${index}`, offset: index, message: `It is ${index}` });
  for (const times of [1, 0, FINDINGS_PER_RULE - 2, 5, 1000]) {
    for (let index = 0; index < times; index++) {
      const { message, ...place } = at(index);
      each.add("qcow2.check.refcount-read", place, message);
    }
    together.addEach("qcow2.check.refcount-read", times, at);
    assertEquals(together.list(), each.list());
    assertEquals(together.counts(), each.counts());
  }
});

Deno.test("an offset from 2^53 on is a decimal string: JSON's numbers would round it", () => {
  const findings = new Findings();
  findings.add("qcow2.l2e.reserved", { path: "/", offset: 2n ** 53n - 1n }, "Below");
  findings.add("qcow2.l2e.copied", { path: "/", offset: 2n ** 53n + 1n }, "Above");
  assertEquals(findings.list().map(({ offset }) => offset), [9007199254740991, "9007199254740993"]);
});

Deno.test("a broken must of the specification is invalid, one of an implementation is not", () => {
  assertEquals(specVerdict(found()), "valid");
  assertEquals(specVerdict(found("qcow2.header.magic")), "invalid");
  assertEquals(specVerdict(found("qcow2.header.cluster-bits-max")), "implementation-defined");
  assertEquals(specVerdict(found("qcow2.header.compat-unknown", "qcow2.ext.unknown")), "valid");
  assertEquals(specVerdict(found("qcow2.l1.size-max", "qcow2.l1.offset")), "invalid");
  assertEquals(specVerdict(found("qcow2.check.refcount-high")), "valid");
});

Deno.test("the dirty bit excuses stale refcounts, and nothing else", () => {
  const low = found("qcow2.check.refcount-low");
  assertEquals([specVerdict(low), specVerdict(low, { dirty: true })], ["invalid", "valid"]);
  assertEquals(specVerdict(found("qcow2.l1e.aligned"), { dirty: true }), "invalid");
});

Deno.test("a finding that was added last stays behind those that are added after it", () => {
  const findings = new Findings();
  findings.addLast("luks.open.key-present", { path: "/" }, "no passphrase");
  findings.add("luks.slot.any-enabled", { path: "/" }, "no key slot");
  findings.add("luks.header.uuid", { path: "/" }, "no UUID");
  const expected = ["luks.slot.any-enabled", "luks.header.uuid", "luks.open.key-present"];
  assertEquals(findings.rules(), expected);
  assertEquals(findings.list().map(({ rule }) => rule), expected);
  assertEquals(findings.refusal("read")?.rule, "luks.slot.any-enabled");
});
