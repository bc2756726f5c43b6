/**
 * The kit of qcow version 1.
 *
 * @module
 */

import { buildQcow1, qcow1Format, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import type { Kit } from "../kit.ts";
import { describeQcow, qcowKeys, qcowKit, qcowNoise } from "../qcow.ts";
import { qcow1Classes } from "./classes.ts";
import { qcow1EntriesAt } from "./entry_at.ts";
import { qcow1Models } from "./models.ts";

/** The kit of qcow version 1. */
export const qcow1: Kit<Qcow1Model> = {
  ...qcowKit,
  format: qcow1Format,
  classes: qcow1Classes,
  models: (use) => qcow1Models({ encryption: "some", vast: use !== "differential" }),
  build: (model) => ({
    image: buildQcow1(model),
    name: "image.qcow",
    unit: 2 ** model.clusterBits,
  }),
  describe: describeQcow,
  keys: qcowKeys,
  noise: qcowNoise(1),
  entriesAt: qcow1EntriesAt,
};
