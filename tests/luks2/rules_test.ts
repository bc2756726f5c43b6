import { assert, assertEquals } from "@std/assert";
import { luks2Rules } from "../../src/luks2/mod.ts";
import { atOnce, differences } from "./live.ts";
import { brokenRules } from "./ours.ts";
import { luks2Cases, showsOf } from "../../corpus/cases/mod.ts";
import { volumesOf } from "../volume.ts";
import { liveTest } from "../live.ts";

Deno.test("judgeLuks2() finds each rule in a volume that breaks it, and not in one that keeps it", async (t) => {
  for (const of of luks2Cases) {
    const { rule } = of;
    await t.step(`${rule} when ${showsOf(of)}`, () => {
      const { broken, kept } = volumesOf(of);
      const [bad, good] = [brokenRules(broken), brokenRules(kept)];
      assert(bad.includes(rule), `${bad}`);
      assert(!good.includes(rule), `${good}`);
    });
  }
});

Deno.test("every rule of LUKS2 has a pair of volumes", () => {
  const tested = new Set<string>(luks2Cases.map(({ rule }) => rule));
  assertEquals(luks2Rules.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

liveTest({ needs: ["cryptsetup"] }, "cryptsetup does what the rules say", async (directory) => {
  const differing: string[] = [];
  await atOnce(luks2Cases, async (of, worker) => {
    const { broken, kept } = volumesOf(of);
    for (const [name, volume] of [["broken", broken], ["kept", kept]] as const) {
      const found = await differences(volume, `${directory}/${worker}`);
      differing.push(...found.map((text) => `${of.rule} ${name}, ${showsOf(of)}: ${text}`));
    }
  });
  assertEquals(differing, []);
});
