/**
 * The kit of qcow2.
 *
 * @module
 */

import * as fc from "fast-check";
import { buildQcow2 } from "../../../src/qcow2/build/mod.ts";
import { qcow2Format, type Qcow2Model } from "../../../src/qcow2/mod.ts";
import type { Kit } from "../kit.ts";
import { describeQcow, qcowKeys, qcowKit, qcowNoise } from "../qcow.ts";
import { farClasses, qcow2Classes } from "./classes.ts";
import { qcow2EntriesAt } from "./entry_at.ts";
import { qcow2Models } from "./models.ts";

/** Large clusters and long tables cost time and find nothing that small ones do not. */
const SMALL = { clusterBitsMax: 16, limits: { l1Bytes: 4096 } } as const;

/** The kit of qcow2. */
export const qcow2: Kit<Qcow2Model> = {
  ...qcowKit,
  format: qcow2Format,
  weight: 2,
  classes: [...qcow2Classes, ...farClasses],
  // Trying a key slot takes as long as everything else that a case does.
  models: (use) => {
    const options = { ...SMALL, far: use === "open" };
    return fc.oneof(
      { weight: 2, arbitrary: qcow2Models(options) },
      { weight: 1, arbitrary: qcow2Models({ ...options, encryption: "some" }) },
    );
  },
  build: (model) => ({
    image: buildQcow2(model).image,
    name: "image.qcow2",
    unit: 2 ** model.clusterBits,
  }),
  describe: describeQcow,
  keys: { ...qcowKeys, costly: ({ encryption }) => encryption?.kind === "luks" },
  noise: qcowNoise(2, 3),
  entriesAt: qcow2EntriesAt,
};
