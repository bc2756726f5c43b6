import { assertEquals, assertRejects } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import { recorded } from "../../../fuzz/targets/recorded.ts";
import { RuleDropper } from "../../../scripts/mutants/rules.ts";
import type { RuleId } from "../../../src/rules/mod.ts";

const CONTEXT = { directory: "", tools: {} };

/** Rules that change no answer that is recorded. */
const RULES: readonly RuleId[] = [
  "qcow2.header.padding-zero",
  "qcow2.ext.unknown",
  "qcow1.l2e.cluster-aligned",
  "luks.header.uuid",
  "luks2.copy.salt",
  "blk.backing.not-followed",
];

for (const rule of RULES) {
  Deno.test(`golden fails where the judge does not report ${rule}`, async () => {
    const value = { name: `${rule}-breaks` };
    const { rules } = await recorded.run(value, CONTEXT);
    assertEquals(rules.includes(rule), true);
    const dropper = new RuleDropper();
    try {
      const run = dropper.without(rule, async () => await recorded.run(value, CONTEXT));
      const { signature } = await assertRejects(() => run, Failure);
      assertEquals(signature, `golden.judge.${rule}.missing`);
    } finally {
      dropper.end();
    }
  });
}
