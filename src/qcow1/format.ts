import { BACKING_OPTIONS, ENCRYPTION_OPTIONS, type Format, type Lock } from "../format/mod.ts";
import { buildQcow1 } from "./build/build.ts";
import { guestContent } from "./build/content.ts";
import { normaliseQcow1 } from "./build/normalise.ts";
import { createQcow1, type Qcow1Creation } from "./create/create.ts";
import { planQcow1 } from "./create/request.ts";
import { qcow1Driver } from "./driver.ts";
import { qcow1Features, qcow1FeaturesOf } from "./features.ts";
import type { Qcow1Rule } from "./rules.ts";
import type { Qcow1Model } from "./model.ts";
import { qcow1Rules } from "./rules.ts";
import { qcow1Structures } from "./structures.ts";
import { qcow1Uses } from "./uses.ts";
import { qcow1Editor } from "./write/editor.ts";

type Locks = Partial<Record<Qcow1Rule, Lock>>;

/** Missing bytes read as zeros in QEMU. */
const LENIENT: readonly Qcow1Rule[] = ["qcow1.header.readable", "qcow1.comp.readable"];

const STREAMS: readonly Qcow1Rule[] = [
  "qcow1.comp.inflate",
  "qcow1.comp.length-nonzero",
  "qcow1.comp.readable",
];

const NO_CHECK: Qcow1Rule = "qcow1.check.unsupported";

/** qcow version 1. */
export const format: Format<Qcow1Model, "qcow", Qcow1Creation> = {
  name: "qcow",
  title: "qcow version 1",
  aliases: ["qcow1"],
  structures: qcow1Structures,
  rules: qcow1Rules,
  tools: ["qemu-img"],
  driver: qcow1Driver,
  features: qcow1Features,
  featuresOf: qcow1FeaturesOf,
  verdict: {
    tool: "qemu-img",
    uses: qcow1Uses,
    lenient: LENIENT,
    streams: STREAMS,
    everyImage: {
      rule: NO_CHECK,
      place: { path: "/" },
      message: "check does not support qcow version 1",
    },
  },
  writer: {
    normalise: normaliseQcow1,
    build: (model) => ({ image: buildQcow1(model) }),
    content: guestContent,
    passphrases: ({ encryption }) => encryption === undefined ? [] : [encryption.passphrase],
  },
  editor: qcow1Editor,
  keys: { locks: { "qcow1.crypt.key-present": "missing" } satisfies Locks },
  create: {
    options: [...BACKING_OPTIONS, ...ENCRYPTION_OPTIONS],
    backing: true,
    compresses: true,
    plan: planQcow1,
    make: createQcow1,
  },
};
