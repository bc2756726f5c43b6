import * as fc from "fast-check";
import type { Kit } from "../../fuzz/formats/mod.ts";
import { patterns } from "../../fuzz/generate/values.ts";
import { toy, type ToyModel } from "./format.ts";

const BLOCKS_MAX = 8;

/** The toy, as the fuzz targets know it: the format and its models. */
export const toyKit: Kit<ToyModel> = {
  format: toy,
  models: () =>
    fc.record({
      format: fc.constant("toy" as const),
      blockBits: fc.integer({ min: 9, max: 12 }),
      blocks: fc.nat({ max: BLOCKS_MAX }),
      data: fc.array(fc.record({ index: fc.nat({ max: BLOCKS_MAX }), pattern: patterns() })),
    }).map((model) => toy.writer.normalise(model)),
};
