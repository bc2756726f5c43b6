import { utf8 } from "../../../src/bytes/mod.ts";
import type { OpenedImage } from "../../../src/image/mod.ts";
import {
  decodeLuks1,
  luks1Info,
  slotStates,
  specOf,
  unlock,
  whyUnusable,
} from "../../../src/luks1/mod.ts";
import type { VolumeReport } from "../../../src/peers/mod.ts";
import {
  type Asked,
  compareAnswer,
  compareContent,
  compareCryptsetup,
  type Compared,
  compareLuksde,
  KEY_SLOT,
  type Ours,
  type QemuQuestion,
  type Toolbox,
  type VolumeKit,
} from "../../compare/mod.ts";
import { keptKeys } from "../kept_keys.ts";
import type { ToolKit } from "../kit.ts";
import { luks1Divergences } from "./divergences.ts";

/** Limit of the work of a passphrase attempt: slightly more than a generated volume needs. */
export const ITERATIONS_MAX = 8000;
const BUDGET = "luks.work.iterations-budget";
/** The first version of QEMU that has an option for a detached header. */
const DETACHED_SINCE = 9;

/**
 * Compares volumes with qemu-img, cryptsetup and luksdeinfo.
 *
 * qemu-io reads every case, because its process keeps running between cases. The other tools need a
 * new process for each case, so each is queried for a share of the cases. QEMU reads detached headers
 * since 9.0; for older versions, cryptsetup is queried for all of them.
 */
export const luks1Tools: ToolKit = {
  says: "LUKS verdict, info and content agree with qemu-img, cryptsetup and luksdeinfo",
  needs: ["qemu-img", "qemu-io"],
  uses: ["cryptsetup", "luksdeinfo"],
  weight: 2,
  asks: { nothing: 48, info: 4, cryptsetup: 2, [KEY_SLOT]: 1, map: 1, check: 1, luksdeinfo: 1 },
  untouched: 2.5,
  timeoutMs: 8000,
  divergences: luks1Divergences,
  compare: compareLuks1,
};

async function compareLuks1(asked: Asked, ask: string, tools: Toolbox): Promise<Compared> {
  if (ask === "cryptsetup" || ask === KEY_SLOT) {
    return await compareCryptsetup(asked, volumeKit, { ask, tools });
  }
  if (ask === "luksdeinfo") return await compareLuksde(asked, volumeKit, tools);
  const { subject: { passphrases: _, ...keyless }, image } = asked;
  const { version } = tools.qemuImg;
  if (keyless.header !== undefined && Number.parseInt(version) < DETACHED_SINCE) {
    return await compareCryptsetup(asked, volumeKit, { ask, tools });
  }
  if (image.findings.count(BUDGET) > 0) {
    // QEMU does not limit work, so it is not queried for what would take hours.
    return { seen: await compareAnswer({ ...asked, subject: keyless }, "info", tools) };
  }
  const content = await compareContent(asked, tools);
  if (ask === "nothing") return { seen: content };
  return { seen: [...content, ...await compareAnswer(asked, ask as QemuQuestion, tools)] };
}

const volumeKit: VolumeKit = {
  report,
  unlock: (image, text, slot) => {
    const keyMaterial = image.header ?? image.source;
    const header = decodeLuks1(keyMaterial);
    const message = whyUnusable(specOf(header));
    if (message !== undefined) return { message };
    const passphrase = utf8(text);
    const only = slot === undefined ? {} : { slot };
    const limits = { iterationsMax: ITERATIONS_MAX, keptKeys };
    return unlock(header, { keyMaterial, passphrase, ...limits, ...only });
  },
  slots: ({ header, source }) =>
    decodeLuks1(header ?? source).slots.flatMap(({ active }, index) =>
      active === slotStates.enabled ? [index] : []
    ),
  dear: ({ findings }) => findings.count(BUDGET) > 0,
};

/** The reference's report of a header by the format alone, without QEMU's limits. */
function report(image: OpenedImage): Ours<VolumeReport> {
  const refusal = image.findings.refusal("info", "spec");
  if (refusal !== undefined) {
    return { outcome: "rejected", message: refusal.message, rule: refusal.rule };
  }
  if (image.layer === undefined) {
    return { outcome: "rejected", message: "The volume does not open" };
  }
  const header = decodeLuks1(image.header ?? image.source);
  return { outcome: "accepted", value: { cipher: specOf(header).cipher, ...luks1Info(header) } };
}
