import { assert, assertEquals } from "@std/assert";
import { luks1Rules } from "../../src/luks1/mod.ts";
import { differences, refusesCheck, writeVolume } from "./compare.ts";
import { brokenRules, openVolume } from "./ours.ts";
import { luks1Cases, showsOf } from "../../corpus/cases/mod.ts";
import { volumesOf } from "../volume.ts";
import { liveTest } from "../live.ts";

/** Rules about what is done to a volume, and one that this build of QEMU cannot break. */
const OF_OPERATIONS = [
  "luks.open.secret-utf8",
  "luks.detached.option-known",
  "luks.check.unsupported",
  "luks.key.hash-supported",
];

for (const of of luks1Cases) {
  const { rule } = of;
  Deno.test(`judgeLuks1() finds ${rule} when ${showsOf(of)}`, () => {
    const { broken, kept } = volumesOf(of);
    assert(brokenRules(broken).includes(rule), `${brokenRules(broken)}`);
    assert(!brokenRules(kept).includes(rule), `${brokenRules(kept)}`);
  });
}

Deno.test("every rule of LUKS has a pair of volumes or is one of an operation", () => {
  const tested = new Set<string>([...luks1Cases.map(({ rule }) => rule), ...OF_OPERATIONS]);
  assertEquals(luks1Rules.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

for (const of of luks1Cases) {
  const isDetached = of.base.format === "luks" && of.base.detached;
  liveTest(
    { needs: [isDetached ? "qemu-img 9.0" : "qemu-img"] },
    `qemu-img does what ${of.rule} says when ${showsOf(of)}`,
    async (directory) => {
      const { broken, kept } = volumesOf(of);
      for (const [name, volume] of [["broken", broken], ["kept", kept]] as const) {
        assertEquals(await differences(volume, `${directory}/${name}`), [], name);
      }
    },
  );
}

liveTest(
  { needs: ["qemu-img"] },
  "qemu-img check has nothing to say of a volume",
  async (directory) => {
    const [first] = luks1Cases;
    assert(first !== undefined);
    const { kept } = volumesOf(first);
    const files = await writeVolume(`${directory}/kept`, kept);
    assert(!await refusesCheck(files));
    assertEquals(openVolume(kept).findings.refusal("check")?.rule, undefined);
    await Deno.writeTextFile(files.passphrase, "another");
    assert(await refusesCheck(files));
  },
);
