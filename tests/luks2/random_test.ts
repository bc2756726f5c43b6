import { assert, assertEquals } from "@std/assert";
import { Marks } from "../../src/format/mod.ts";
import { luks2Driver, type Luks2Model } from "../../src/luks2/mod.ts";
import { atOnce, differences } from "./live.ts";
import { mutate } from "./mutants.ts";
import { openVolume, readAll } from "./ours.ts";
import { interrupted, signed } from "./reencrypting.ts";
import type { AnyJson, Change } from "./volumes.ts";
import { liveTest } from "../live.ts";

const options = { rows: 20, tables: 20, entries: 1000, marks: new Marks([]) };

interface Base {
  readonly model: Partial<Luks2Model>;
  /** What is changed of it first. */
  readonly first?: Change;
}

/** Volumes with small copies and with larger ones, and in a reencryption that was interrupted. */
const bases: readonly Base[] = [
  { model: {} },
  { model: { headerSize: 0x8000, checksum: "sha512", sectorSize: 4096 } },
  ...["journal", "checksum", "datashift-checksum"].map((type) => ({
    model: {},
    first: { json: (root: AnyJson) => signed(root, interrupted(type)) },
  })),
];

/** How many mutants are tried of each volume. */
const COUNT = 40;

/** A budget that no mutant can make long work of. */
const iterationsMax = 10_000;

Deno.test("any mutant opens and reads with no other error than that of an access", () => {
  for (let seed = 0; seed < 200; seed++) {
    const { model, ...base } = bases[seed % bases.length] as Base;
    const { volume, edits } = mutate(model, 100_000 + seed, base);
    const { layer, findings } = openVolume({ ...volume, iterationsMax });
    const about = edits.join("; ");
    assert(layer !== undefined || findings.rules().length > 0, about);
    if (layer?.unlocked) assertEquals(readAll(layer).length, layer.virtualSize, about);
    assert((layer?.virtualSize ?? 0) <= volume.source.size, about);
    JSON.stringify(layer?.info());
    assert(luks2Driver.anatomy?.(volume.source, options) !== undefined, about);
  }
});

for (const [number, { model, ...base }] of bases.entries()) {
  const name = `cryptsetup and the reference say the same of mutants of volume ${number}`;
  liveTest({ needs: ["cryptsetup"] }, name, async (directory) => {
    const differing: string[] = [];
    const seeds = Array.from({ length: COUNT }, (_, seed) => number * 10_000 + seed);
    await atOnce(seeds, async (seed, worker) => {
      const { volume, edits } = mutate(model, seed, base);
      const found = await differences(volume, `${directory}/${worker}`);
      differing.push(...found.map((text) => `${seed}: ${edits.join("; ")}: ${text}`));
    });
    assertEquals(differing, []);
  });
}
