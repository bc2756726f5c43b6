/**
 * The kit of LUKS version 1.
 *
 * @module
 */

import { SECTOR } from "../../../src/bytes/mod.ts";
import * as fc from "fast-check";
import { contentOf, luks1Format, type Luks1Model, LUKS_MAGIC } from "../../../src/luks1/mod.ts";
import { flatDisk, keyChoices, PASSPHRASES } from "../../generate/mod.ts";
import { type KeyKit, type Kit, NO_CHECKER, type ToolKit, type Use } from "../kit.ts";
import { allData, KEY_MS, openVolume } from "../luks.ts";
import { agreesLuks1, depthLuks1 } from "./agreement.ts";
import { assertModelKeys, withChanges } from "./changed_volume.ts";
import { luks1Classes } from "./classes.ts";
import { describeLuks1 } from "./describe.ts";
import { expectedInfo } from "./expected.ts";
import { luks1Inside } from "./inside.ts";
import { describeChange, type KeyChange, keyChangeLists } from "./key_changes.ts";
import { luksTexts } from "./texts.ts";
import { luks1Slots } from "./slots.ts";
import { ITERATIONS_MAX, luks1Tools } from "./tools.ts";
import { layOutLuks1, luks1Volumes } from "./volumes.ts";

const keys: KeyKit<Luks1Model> = {
  passphrases: ({ keys }) => keys.slice(-1).map(({ passphrase }) => passphrase),
  all: ({ keys }) => keys.map(({ passphrase }) => passphrase),
  remembered: true,
  sound: assertModelKeys,
  slots: luks1Slots,
  changes: {
    draws: keyChangeLists,
    describe: (change) => describeChange(change as KeyChange),
    run: (model, changes) => withChanges(model, changes as readonly KeyChange[]),
  },
  // A passphrase attempt takes about fifty times as long as judging a header.
  choices: (use) =>
    keyChoices(use === "open" ? { none: 46, right: 1, wrong: 1 } : { right: 8, wrong: 2, none: 1 }),
  iterationsMax: ITERATIONS_MAX,
  milliseconds: KEY_MS,
};

/** One volume in this many is generated; the others come from a cache. */
const RARELY: Readonly<Record<Use, number>> = {
  open: 40,
  roundtrip: 48,
  differential: 12,
  stateful: 12,
};
/** Sets of passphrases that processes of qemu-io are kept for. */
const PASSPHRASES_MAX = 3;

const models: Kit<Luks1Model>["models"] = (use) => {
  const rarely = RARELY[use];
  if (use === "open") return luks1Volumes({ qemu: false, rarely });
  if (use === "roundtrip") return luks1Volumes({ qemu: false, rarely, quick: true });
  const passphrases = PASSPHRASES.slice(0, PASSPHRASES_MAX);
  // Volumes that QEMU supports are twice as frequent as any volumes.
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: luks1Volumes({ rarely, passphrases }) },
    { weight: 1, arbitrary: luks1Volumes({ qemu: false, rarely, passphrases }) },
  );
};

/** Bytes that a guest sees: all sectors of which the payload has a part. */
function sizeOf({ size, tail }: Luks1Model): number {
  return SECTOR * Math.ceil((size + tail) / SECTOR);
}

/** The kit of LUKS version 1. */
export const luks1: Kit<Luks1Model> & { readonly tools: ToolKit } = {
  format: luks1Format,
  file: "volume.luks",
  kind: "volume",
  classes: luks1Classes,
  elsewhere: { inside: { ...luks1Inside, models, keys } },
  models,
  keys,
  build: layOutLuks1,
  describe: describeLuks1,
  open: openVolume("luks"),
  contentPaths: /^\/header\/cipher_(name|mode)$/,
  answerPaths: [[/^(?:\/format-specific\/data)?\/slots\/(\d+)/, "/key_slots/$1"]],
  depth: depthLuks1,
  agrees: agreesLuks1,
  expected: {
    disk: (model) => flatDisk(contentOf(model), sizeOf(model)),
    info: expectedInfo,
    map: (model) => allData(sizeOf(model)),
    check: () => NO_CHECKER,
  },
  edits: { dictionary: { texts: luksTexts } },
  tools: luks1Tools,
  noise: {
    detached: true,
    head: fc.record({ version: fc.constantFrom(1, 1, 2, 0) }),
    write: ({ version }, bytes) => {
      const at = LUKS_MAGIC.length;
      if (bytes.length < at + 2) return;
      bytes.set(LUKS_MAGIC);
      new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, version as number);
    },
  },
};
