import { type Format, type Lock, wholeContent } from "../format/mod.ts";
import { buildLuks1, contentOf } from "./build/build.ts";
import { normaliseLuks1 } from "./build/normalise.ts";
import { LUKS_OPTIONS, luksOptions } from "./create/request.ts";
import { createVolume, type Luks1Creation } from "./create/volume.ts";
import { luks1Driver } from "./driver.ts";
import { luks1Features, luks1FeaturesOf } from "./features.ts";
import { keyAreaOf } from "./keyslots/area.ts";
import type { Luks1Model } from "./model.ts";
import { type Luks1Rule, luks1Rules } from "./rules.ts";
import { luks1Structures } from "./structures.ts";
import { unlockSlot } from "./keyslots/unlock.ts";
import { luks1Uses } from "./uses.ts";
import { luks1Editor } from "./write/editor.ts";

/** The reason why content stays locked, by the rule that is broken. */
export const luks1Locks = {
  "luks.open.key-present": "missing",
  "luks.key.unlock": "wrong",
  "luks.work.iterations-budget": "work",
} as const satisfies Partial<Record<Luks1Rule, Lock>>;

/** The rule that damaged key material breaks. */
export const luks1Damage: Luks1Rule = "luks.slot.material-random";

const HEADER_ALONE: Luks1Rule = "luks.payload.header-alone";

/** LUKS version 1. */
export const format: Format<Luks1Model, "luks", Luks1Creation> = {
  name: "luks",
  title: "LUKS version 1",
  aliases: ["luks1"],
  structures: luks1Structures,
  rules: luks1Rules,
  tools: ["qemu-img", "cryptsetup", "luksdeinfo"],
  driver: luks1Driver,
  features: luks1Features,
  featuresOf: luks1FeaturesOf,
  verdict: {
    tool: "qemu-img",
    uses: luks1Uses,
    // More encryption methods can be read than QEMU supports.
    readsDespite: ({ rule, class: by }) => by !== "spec" && rule !== HEADER_ALONE,
    headerAlone: HEADER_ALONE,
  },
  writer: {
    normalise: normaliseLuks1,
    build: buildLuks1,
    content: (model) => wholeContent(contentOf(model)),
    passphrases: ({ keys }) => keys.map(({ passphrase }) => passphrase),
  },
  editor: luks1Editor,
  create: {
    options: ["detached-header", ...LUKS_OPTIONS],
    plan: (request) => {
      const { size, content } = request;
      return { size, ...(content === undefined ? {} : { content }), luks: luksOptions(request) };
    },
    make: createVolume,
  },
  keys: {
    locks: luks1Locks,
    damage: luks1Damage,
    area: keyAreaOf,
    unlock: unlockSlot,
  },
};
