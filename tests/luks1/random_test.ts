import { assertEquals } from "@std/assert";
import { buildLuks1 } from "../../src/luks1/mod.ts";
import { differences } from "./compare.ts";
import { mutate } from "./mutants.ts";
import { modelOf } from "./volumes.ts";
import { liveTest } from "../live.ts";

const { spec } = modelOf();

/** Volumes whose keys fill the header, and leave room in it. */
const models = [
  modelOf(),
  modelOf({ spec: { ...spec, mode: "xts", keyBytes: 64 } }),
  modelOf({ spec: { ...spec, keyBytes: 32, ivGenerator: "essiv", ivHash: "sha256" } }),
];

/** How many mutants are tried of each volume. */
const COUNT = 40;

for (const [number, model] of models.entries()) {
  const name = `qemu-img and the reference say the same of mutants of volume ${number}`;
  liveTest({ needs: ["qemu-img"] }, name, async (directory) => {
    const { image } = buildLuks1(model);
    for (let seed = 0; seed < COUNT; seed++) {
      const { source, edits } = mutate(image, number * 10_000 + seed);
      const volume = { source, passphrase: "second" };
      assertEquals(await differences(volume, `${directory}/volume`), [], edits.join("; "));
    }
  });
}
