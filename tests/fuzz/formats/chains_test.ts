import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { chains } from "../../../fuzz/formats/chain/mod.ts";
import type { ChainModel } from "../../../fuzz/formats/mod.ts";
import { formatNames } from "../../../src/formats.ts";

/** Some have far holes, and some name a raw backing file with a driver that is no format. */
const drawn = (["roundtrip", "differential"] as const).flatMap((use) =>
  fc.sample(chains.models(use), { numRuns: 150, seed: 3 })
);

function repaired(chain: ChainModel): ChainModel {
  return chains.repair?.(chain) ?? [];
}

/** The formats of the images of a chain, and what each says of the next one. */
function links(chain: ChainModel) {
  return chain.map((image) => [image.format, image.format === "raw" ? undefined : image.backing]);
}

Deno.test("a repair leaves the images and names of any generated chain as they are", () => {
  for (const chain of drawn) assertEquals(links(repaired(chain)), links(chain));
});

Deno.test("a repair of a chain without one of its images records the format of the next one", () => {
  let compared = 0;
  for (const chain of drawn) {
    for (const index of chain.keys()) {
      if (index === 0 || index === chain.length - 1) continue;
      const left = repaired(chain.toSpliced(index, 1));
      for (const [at, image] of left.entries()) {
        const recorded = image.format === "qcow2" ? image.backing?.format : undefined;
        if (recorded === undefined || !formatNames.includes(recorded)) continue;
        assertEquals(recorded, left[at + 1]?.format);
        compared++;
      }
    }
  }
  assertEquals(compared > 20, true);
});
