/** Random images, valid and malformed, compared with the installed qemu-img. */

import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { qcow1Models } from "../../fuzz/formats/qcow1/models.ts";
import { AccessError } from "../../src/format/mod.ts";
import { buildQcow1 } from "../../src/qcow1/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { differences } from "./compare.ts";
import { sourceOf } from "./images.ts";
import { succeed } from "./live.ts";
import { mutate } from "./mutants.ts";
import { openQcow, readGuest } from "./ours.ts";
import { liveTest, QEMU } from "../live.ts";

const SEED = 77;
/** Mutants with a longer file, or more guest clusters, are left to the fuzzer. */
const SIZE_MAX = 2 ** 24;
const WALK_MAX = 2 ** 16;

async function version(): Promise<string> {
  return /version (\S+)/.exec(await succeed(["qemu-img", "--version"]))?.[1] ?? "";
}

liveTest(
  { needs: QEMU },
  "qemu-img and the reference agree on random images",
  async (directory) => {
    const subject = { path: `${directory}/image`, version: await version() };
    for (
      const model of fc.sample(qcow1Models({ clustersMax: 2 ** 14 }), { numRuns: 40, seed: SEED })
    ) {
      assertEquals(await differences(sourceOf(buildQcow1(model)), subject), []);
    }
  },
);

liveTest(
  { needs: QEMU },
  "qemu-img and the reference agree on mutated images",
  async (directory) => {
    const subject = { path: `${directory}/image`, version: await version() };
    const models = fc.sample(qcow1Models({ clustersMax: 2 ** 14 }), { numRuns: 60, seed: SEED });
    for (const [index, model] of models.entries()) {
      const { source, edits } = mutate(buildQcow1(model), index);
      if (source.size > SIZE_MAX) continue;
      assertEquals(await differences(source, subject), [], edits.join(", "));
    }
  },
);

Deno.test("a mutated image never makes the reference throw anything but an AccessError", () => {
  const models = fc.sample(qcow1Models({ clustersMax: 2 ** 12 }), { numRuns: 400, seed: SEED });
  for (const [index, model] of models.entries()) {
    const { source, edits } = mutate(buildQcow1(model), index);
    const { layer, all, findings } = openQcow(source);
    if (layer === undefined || findings.refusal("read") !== undefined) continue;
    if (layer.virtualSize / layer.clusterSize > WALK_MAX) continue;
    let fails = false;
    for (const run of layer.runs(0, layer.virtualSize)) {
      if (run.broken !== undefined) fails = true;
      for (let at = 0; at < run.length && run.kind !== "unallocated"; at += layer.clusterSize) {
        const length = Math.min(layer.clusterSize, run.length - at);
        const read = readGuest(layer, { offset: run.start + at, length });
        fails ||= read instanceof AccessError;
      }
    }
    const judged = all.rules().some((rule) => ruleOf(rule).effect === "fails-at-access");
    assertEquals(judged, fails, edits.join(", "));
  }
});
