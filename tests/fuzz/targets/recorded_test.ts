import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import { assertCipher, recordedCiphers } from "../../../fuzz/targets/ciphers.ts";
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

Deno.test("golden fails where sectors are not encrypted as by the recorded libraries", () => {
  const [name = "", cipher] = [...recordedCiphers()].find(([name]) => name.includes("eboiv")) ?? [];
  const digest = "0".repeat(64);
  const wrong = () => assertCipher(name, { libraries: "", ...cipher, digest });
  assertEquals(assertThrows(wrong, Failure).signature, "golden.sectors.cbc-eboiv");
});
