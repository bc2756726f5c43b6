/**
 * The kit of LUKS version 2.
 *
 * @module
 */

import * as fc from "fast-check";
import {
  type CopyName,
  HEADER_SIZES,
  luks2Format,
  type Luks2Model,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../../../src/luks2/mod.ts";
import { keyChoices } from "../../generate/mod.ts";
import { garblingLists, sealedLists } from "../../mutate/mod.ts";
import type { Kit, ToolKit, Use } from "../kit.ts";
import { allData, KEY_MS, openVolume } from "../luks.ts";
import { agreesLuks2, depthLuks2 } from "./agreement.ts";
import { luks2Classes } from "./classes.ts";
import { luks2Dictionary } from "./dictionary.ts";
import { brokenByLuks2, expectedLuks2Info } from "./expected.ts";
import { assertModelKeys, WORK_MAX } from "./keys.ts";
import { opensStill } from "./sound.ts";
import { storedEdit } from "./stored.ts";
import { luks2Tools } from "./tools.ts";
import { COPIES, describeLuks2, layOutLuks2, luks2Volumes } from "./volumes.ts";

const NOISE_MAX = 2 ** 16;
const VERSION = [0, 2];
/** One volume in this many is generated; the others come from a cache. */
const RARELY: Readonly<Record<Use, number>> = {
  open: 40,
  roundtrip: 24,
  differential: 12,
  stateful: 12,
};

/** The kit of LUKS version 2. */
export const luks2: Kit<Luks2Model> & { readonly tools: ToolKit } = {
  format: luks2Format,
  file: "volume.luks",
  kind: "volume",
  classes: luks2Classes,
  models: (use) => {
    const rarely = RARELY[use];
    if (use !== "differential") return luks2Volumes({ rarely });
    // Four times as many of what cryptsetup has everywhere as of all that there is.
    return fc.oneof(
      { withCrossShrink: true },
      { weight: 4, arbitrary: luks2Volumes({ aes: true, rarely }) },
      { weight: 1, arbitrary: luks2Volumes({ rarely }) },
    );
  },
  build: layOutLuks2,
  describe: describeLuks2,
  open: openVolume("luks2"),
  contentPaths: /\/json\/segments\/\d+\/(offset|iv_tweak|encryption|sector_size)$/,
  answerPaths: [
    [/^(?:\/format-specific\/data)?\/(keyslots|segments|digests|tokens)/, "/primary/json/$1"],
    [/^.*$/, "/primary"],
  ],
  depth: depthLuks2,
  agrees: agreesLuks2,
  sound: opensStill,
  expected: {
    info: expectedLuks2Info,
    map: ({ size }) => allData(size),
    infoOfDamage: ["copies", "seqid"],
    broken: brokenByLuks2,
    // An edit behind a digest that is shorter than its field leaves a copy that is sound.
    damage: ["luks2.header.padding"],
  },
  keys: {
    // A passphrase attempt takes about ten times as long as judging a header.
    choices: (use) =>
      keyChoices(
        use === "open" ? { none: 14, right: 3, wrong: 1 } : { right: 6, wrong: 1, none: 1 },
      ),
    iterationsMax: WORK_MAX,
    milliseconds: KEY_MS,
    all: ({ keys }) => keys.map(({ passphrase }) => passphrase),
    remembered: true,
    sound: assertModelKeys,
  },
  edits: {
    draws: (use) => {
      const garbling = COPIES.map((_, index) => ({ weight: 1, arbitrary: garblingLists(index) }));
      if (use === "roundtrip") return fc.oneof(...garbling);
      return fc.oneof(
        { weight: use === "open" ? 14 : 1_000, arbitrary: sealedLists() },
        ...garbling,
      );
    },
    dictionary: luks2Dictionary,
    stored: storedEdit,
  },
  tools: luks2Tools,
  noise: {
    detached: true,
    lengthMax: NOISE_MAX,
    head: fc.record({ copy: fc.constantFrom<CopyName>(...COPIES) }),
    write: ({ copy }, bytes) => {
      const at = copy === "primary" ? 0 : HEADER_SIZES[0] ?? 0;
      const magic = [...(copy === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC), ...VERSION];
      if (bytes.length >= at + magic.length) bytes.set(magic, at);
    },
  },
};
