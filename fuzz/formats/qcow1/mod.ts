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

const INSPECTED_BITS = 52;

/** The kit of qcow version 1. */
export const qcow1: Kit<Qcow1Model> = {
  ...qcowKit,
  format: qcow1Format,
  classes: qcow1Classes,
  // Inspecting finds nothing beyond 2^53 bytes.
  models: (use) =>
    qcow1Models({
      encryption: "some",
      vast: use !== "differential",
      ...(use === "open" ? { far: INSPECTED_BITS } : {}),
    }),
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
