import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { specVerdict } from "../../src/rules/mod.ts";
import { dump, writeVolume } from "./live.ts";
import { openVolume, type Volume } from "./ours.ts";
import { type Change, changed } from "./volumes.ts";
import { liveTest } from "../live.ts";

const headerSize = 0x80000;

/** More values than are looked at. */
const many = (only?: "primary" | "secondary"): Change => ({
  text: (text) => text.replace('"config":{', `"config":{"x":[${"1,".repeat(99_999)}1],`),
  ...only === undefined ? {} : { only },
});

function volumeWith(...changes: Change[]): Volume {
  return { source: new MemorySource(changed({ headerSize }, ...changes)), passphrase: "first" };
}

const newer = (only: "primary" | "secondary"): Change => ({ fields: { seqid: 6 }, only });
const damaged: Change = { fields: { csum: "" }, unsummed: true };
const named = (only: "primary" | "secondary"): Change => ({ fields: { label: only }, only });

/** Changes, and the copy that counts where it is known. */
const cases: readonly (readonly [about: string, Change[], string | undefined])[] = [
  ["both copies are not read", [many()], undefined],
  ["the primary copy is not read", [many("primary")], undefined],
  ["the secondary copy is not read", [many("secondary")], "primary"],
  ["the primary copy is not read, and older", [many("primary"), newer("secondary")], "secondary"],
  ["the secondary copy is not read, and newer", [many("secondary"), newer("secondary")], undefined],
  ["the primary copy is not read, and the other damaged", [
    many("primary"),
    { ...damaged, only: "secondary" },
  ], undefined],
  ["the secondary copy is not read, and the other damaged", [
    many("secondary"),
    { ...damaged, only: "primary" },
  ], undefined],
];

for (const [about, changes, counts] of cases) {
  Deno.test(`unread parts are not judged, and no copy is used instead: ${about}`, () => {
    const { layer, findings } = openVolume(volumeWith(...changes));
    assertEquals(findings.count("luks2.work.values") > 0, true);
    assertEquals(findings.refusal("info"), undefined);
    assertEquals(specVerdict(findings.list()), "implementation-defined");
    assertEquals(
      findings.count("luks2.copy.primary") > 0,
      changes.some(({ unsummed, only }) => unsummed === true && only === "primary"),
    );
    assertEquals(layer === undefined, counts === undefined);
    const { copies } = layer?.info()["format-specific"]?.data ?? {};
    assertEquals((copies as { used: string } | undefined)?.used, counts);
  });
}

Deno.test("an unread volume that is rejected for another reason is rejected", () => {
  const { findings } = openVolume(volumeWith(many(), { fields: { csum_alg: "x" } }));
  assert(findings.refusal("info") !== undefined);
});

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup reads any number of values, and goes by such a copy",
  async (dir) => {
    const path = `${dir}/volume`;
    for (const [about, changes, counts] of cases) {
      if (about.includes("damaged")) continue;
      await writeVolume(path, volumeWith(...changes, named("primary"), named("secondary")));
      const { stdout } = await dump(path);
      const label = /Label:\s+(\S+)/.exec(new TextDecoder().decode(stdout))?.[1];
      const isNewer = changes.some(({ fields, only }) =>
        fields !== undefined && only === "secondary"
      );
      assertEquals(label, isNewer ? "secondary" : "primary", about);
      if (counts !== undefined) assertEquals(label, counts);
    }
  },
);
