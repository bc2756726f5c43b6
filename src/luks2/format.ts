import { type Format, type Lock, wholeContent } from "../format/mod.ts";
import { buildLuks2, luks2Content } from "./build/build.ts";
import { normaliseLuks2 } from "./build/normalise.ts";
import { decodeLuks2 } from "./decode.ts";
import { luks2Driver } from "./driver.ts";
import { luks2Features, luks2FeaturesOf } from "./features.ts";
import { damagedSlots } from "./judge/material.ts";
import { unlock } from "./keyslots/unlock.ts";
import { chooseCopy } from "./copies.ts";
import type { Luks2Model } from "./model.ts";
import { type Luks2Rule, luks2Rules } from "./rules.ts";
import { luks2Structures } from "./structures.ts";
import { luks2Uses } from "./uses.ts";
import { luks2Editor } from "./write/editor.ts";

/** LUKS version 2. */
export const format: Format<Luks2Model, "luks2", never> = {
  name: "luks2",
  title: "LUKS version 2",
  aliases: [],
  structures: luks2Structures,
  rules: luks2Rules,
  tools: ["cryptsetup"],
  driver: luks2Driver,
  features: luks2Features,
  featuresOf: luks2FeaturesOf,
  verdict: {
    tool: "cryptsetup",
    uses: luks2Uses,
    headerAlone: "luks2.payload.header-alone" satisfies Luks2Rule,
  },
  writer: {
    normalise: normaliseLuks2,
    build: buildLuks2,
    content: (model) => wholeContent(luks2Content(model)),
    passphrases: ({ keys }) =>
      keys.filter(({ priority }) => priority > 0).map(({ passphrase }) => passphrase),
  },
  editor: luks2Editor,
  keys: {
    locks: {
      "luks2.open.key-present": "missing",
      "luks2.key.unlock": "wrong",
      "luks2.work.memory": "memory",
      "luks2.work.budget": "work",
    } satisfies Partial<Record<Luks2Rule, Lock>>,
    damage: "luks2.area.random" satisfies Luks2Rule,
    unlock: (keyMaterial, passphrase, options) => {
      const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
      if (metadata === undefined) {
        return { message: "No copy of the header is valid", isWrong: false };
      }
      const found = unlock(metadata, { ...options, keyMaterial, passphrase });
      if ("slot" in found) return found;
      const isUnused = found.rule === "luks2.keyslot.any" && options?.slot !== undefined;
      const message = isUnused ? `Key slot ${options.slot} is not in use` : found.message;
      const damaged = damagedSlots(metadata, keyMaterial, options?.slot)
        .map(({ message }) => message);
      return { message, isWrong: found.rule === "luks2.key.unlock", damaged };
    },
  },
};
