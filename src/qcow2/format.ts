import { WindowSource } from "../bytes/mod.ts";
import type { Format, Lock } from "../format/mod.ts";
import { luks1Damage, luks1Locks, unlockSlot } from "../luks1/mod.ts";
import { buildQcow2, guestContent, normaliseQcow2 } from "./build/mod.ts";
import { createQcow2, planQcow2, QCOW2_OPTIONS, type Qcow2Creation } from "./create/mod.ts";
import { qcow2Driver } from "./driver.ts";
import { qcow2Features, qcow2FeaturesOf } from "./features.ts";
import type { FoundRule } from "./findings.ts";
import { keyAreaOf, luksAreaOf } from "./key_area.ts";
import type { Qcow2Model } from "./model.ts";
import { qcow2Rules } from "./rules.ts";
import { qcow2Structures } from "./structures.ts";
import { qcow2UsedWith, qcow2Uses } from "./uses.ts";
import { qcow2Editor } from "./write/editor.ts";

/** What QEMU reads in a way that the format does not define. */
const LENIENT: readonly FoundRule[] = [
  // Missing bytes read as zeros.
  "qcow2.l2e.beyond-eof",
  "qcow2.l2e.beyond-datafile",
  // An empty name: whether that is no backing file is not said.
  "qcow2.backing.empty",
  // Whether an area that is full ends without a mark is not said either.
  "qcow2.ext.end-required",
];

const MISSING: readonly FoundRule[] = [
  "qcow2.datafile.opens",
  "qcow2.datafile.named",
  "qcow2.datafile.name-nonempty",
];

const STREAMS: readonly FoundRule[] = ["qcow2.comp.inflate", "qcow2.comp.zstd"];

const DRAFT_SIGN: FoundRule = "qcow2.crypt.draft-2016";
/** The rule that an image as in the 2016 draft breaks. It is unlocked only if it is read as such. */
const DRAFT_2016: readonly FoundRule[] = [
  "qcow2.crypt.luks-ext-present",
  "qcow2.ext.length-in-area",
];

type Locks = Partial<Record<FoundRule, Lock>>;

/** qcow2, versions 2 and 3. */
export const format: Format<Qcow2Model, "qcow2", Qcow2Creation> = {
  name: "qcow2",
  title: "qcow2",
  aliases: [],
  structures: qcow2Structures,
  rules: qcow2Rules,
  tools: ["qemu-img"],
  driver: qcow2Driver,
  features: qcow2Features,
  featuresOf: qcow2FeaturesOf,
  verdict: {
    tool: "qemu-img",
    uses: qcow2Uses,
    usedWith: qcow2UsedWith,
    lenient: LENIENT,
    streams: STREAMS,
    missing: MISSING,
    // More encryption methods can be read than QEMU supports.
    readsDespite: ({ rule, class: by }) => rule.startsWith("luks.") && by !== "spec",
    drafts: { "draft-2016": { sign: DRAFT_SIGN, breaks: new Set<string>(DRAFT_2016) } },
  },
  writer: {
    normalise: normaliseQcow2,
    build: buildQcow2,
    content: guestContent,
    passphrases: ({ encryption }) =>
      encryption === undefined
        ? []
        : encryption.kind === "aes"
        ? [encryption.passphrase]
        : encryption.keys.map(({ passphrase }) => passphrase),
  },
  create: {
    options: QCOW2_OPTIONS,
    backing: true,
    compresses: true,
    plan: planQcow2,
    make: createQcow2,
  },
  editor: qcow2Editor,
  keys: {
    locks: { ...luks1Locks, "qcow2.crypt.key-present": "missing" } satisfies Locks,
    damage: luks1Damage,
    area: keyAreaOf,
    unlock: (source, passphrase, options) => {
      const area = luksAreaOf(source);
      if (typeof area === "string") {
        return { message: area, isWrong: false };
      }
      const { offset, length } = area;
      const window = new WindowSource(source, offset, length);
      return unlockSlot(window, passphrase, { ...options, base: offset });
    },
  },
};
