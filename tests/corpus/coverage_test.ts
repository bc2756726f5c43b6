import { assert, assertEquals, assertThrows } from "@std/assert";
import { isMissing } from "../../corpus/build/coverage/aspect.ts";
import { coverage, printCoverage } from "../../corpus/build/coverage/coverage.ts";
import { fieldsCovered } from "../../corpus/build/coverage/fields.ts";
import { pairsCovered } from "../../corpus/build/coverage/pairs.ts";
import { rulesCovered } from "../../corpus/build/coverage/rules.ts";
import { cryptsetupWitness } from "../../corpus/build/vouch.ts";
import { UsageError } from "../../src/cli/mod.ts";
import { readRecord, recordNames, subjectOf, unpackRecord } from "../../src/recorded/mod.ts";
import { liveTest } from "../live.ts";

/** The images for which no other implementation vouches. */
const ALONE_MAX = 32;
const IMAGES = new URL("../../corpus/images", import.meta.url).pathname;

const { aspects, alone } = coverage();

for (const { name, items } of aspects) {
  Deno.test(`the corpus covers all ${name}, or a stated reason says why it does not`, () => {
    assert(items.length > 0);
    assertEquals(items.filter(isMissing).map((item) => item.name), []);
  });
}

Deno.test("coverage finds a rule without an image that breaks it, and a value without an image", () => {
  const rule = "qcow2.header.cluster-bits-min";
  const names = new Set(recordNames(IMAGES));
  names.delete(`${rule}-breaks`);
  assertEquals(rulesCovered(names).filter(isMissing).map(({ name }) => name), [rule]);
  const missing = fieldsCovered(new Set()).filter(isMissing).map(({ name }) => name);
  assert(missing.includes(`qcow2.header cluster_bits: ${rule}`));
});

Deno.test("coverage finds a pair of features without an image", () => {
  const missing = pairsCovered([]).filter(isMissing).map(({ name }) => name);
  assert(missing.includes("cluster size 512, encryption luks"));
  assert(!missing.includes("version 2, L2 entries extended"), "there is no such image");
});

Deno.test("only diskproof vouches for the answers about few images", () => {
  assert(alone.length <= ALONE_MAX);
});

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup reads the content of a volume",
  async (directory) => {
    const record = readRecord(IMAGES, "luks2.af.fields-keeps");
    unpackRecord(IMAGES, record, directory);
    const { digest } = await cryptsetupWitness();
    const content = record.reference?.["digest"]?.content;
    assertEquals(await digest(subjectOf(record, directory), content?.length ?? 0), content);
  },
);

Deno.test("coverage has a list of each kind, and no others", () => {
  assertThrows(() => printCoverage(["pears"]), UsageError, "unexpected argument 'pears'");
});
