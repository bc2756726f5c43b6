import { assert, assertEquals } from "@std/assert";
import { luks1Rules } from "../../src/luks1/mod.ts";
import { differences, refusesCheck, writeVolume } from "./compare.ts";
import { brokenRules, openVolume } from "./ours.ts";
import { detachedCases, ruleCases } from "./rule_cases.ts";
import { liveTest } from "../live.ts";

/** Rules about what is done to a volume, and one that this build of QEMU cannot break. */
const OF_OPERATIONS = [
  "luks.open.secret-utf8",
  "luks.detached.option-known",
  "luks.check.unsupported",
  "luks.key.hash-supported",
];

for (const { rule, about, broken, kept } of [...ruleCases, ...detachedCases]) {
  Deno.test(`judgeLuks1() finds ${rule} when ${about}`, () => {
    assert(brokenRules(broken).includes(rule), `${brokenRules(broken)}`);
    assert(!brokenRules(kept).includes(rule), `${brokenRules(kept)}`);
  });
}

Deno.test("every rule of LUKS has a pair of volumes or is one of an operation", () => {
  const tested = new Set<string>([...ruleCases.map(({ rule }) => rule), ...OF_OPERATIONS]);
  assertEquals(luks1Rules.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

for (const { rule, about, broken, kept } of ruleCases) {
  liveTest(
    { needs: ["qemu-img"] },
    `qemu-img does what ${rule} says when ${about}`,
    async (directory) => {
      for (const [name, volume] of [["broken", broken], ["kept", kept]] as const) {
        assertEquals(await differences(volume, `${directory}/${name}`), [], name);
      }
    },
  );
}

for (const { rule, about, broken, kept } of detachedCases) {
  liveTest(
    { needs: ["qemu-img 9.0"] },
    `qemu-img does what ${rule} says when ${about}`,
    async (directory) => {
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
    const [first] = ruleCases;
    assert(first !== undefined);
    const files = await writeVolume(`${directory}/kept`, first.kept);
    assert(!await refusesCheck(files));
    assertEquals(openVolume(first.kept).findings.refusal("check")?.rule, undefined);
    await Deno.writeTextFile(files.passphrase, "another");
    assert(await refusesCheck(files));
  },
);
