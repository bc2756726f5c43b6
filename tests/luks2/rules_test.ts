import { assert, assertEquals } from "@std/assert";
import { luks2Rules } from "../../src/luks2/mod.ts";
import { headerCases } from "./header_cases.ts";
import { jsonCases } from "./json_cases.ts";
import { kernelCases, slotAndKeyCases } from "./key_cases.ts";
import { atOnce, differences } from "./live.ts";
import { brokenRules } from "./ours.ts";
import { reencryptionCases } from "./reencryption_cases.ts";
import { liveTest } from "../live.ts";

const cases = [
  ...headerCases,
  ...jsonCases,
  ...slotAndKeyCases,
  ...kernelCases,
  ...reencryptionCases,
];

Deno.test("judgeLuks2() finds each rule in a volume that breaks it, and not in one that keeps it", async (t) => {
  for (const { rule, about, broken, kept } of cases) {
    await t.step(`${rule} when ${about}`, () => {
      const [bad, good] = [brokenRules(broken), brokenRules(kept)];
      assert(bad.includes(rule), `${bad}`);
      assert(!good.includes(rule), `${good}`);
    });
  }
});

Deno.test("every rule of LUKS2 has a pair of volumes", () => {
  const tested = new Set<string>(cases.map(({ rule }) => rule));
  assertEquals(luks2Rules.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

liveTest({ needs: ["cryptsetup"] }, "cryptsetup does what the rules say", async (directory) => {
  const differing: string[] = [];
  const volumes = cases.flatMap(({ rule, about, broken, kept }) => [
    { volume: broken, name: `${rule} broken, ${about}` },
    { volume: kept, name: `${rule} kept, ${about}` },
  ]);
  await atOnce(volumes, async ({ volume, name }, worker) => {
    const found = await differences(volume, `${directory}/${worker}`);
    differing.push(...found.map((text) => `${name}: ${text}`));
  });
  assertEquals(differing, []);
});
