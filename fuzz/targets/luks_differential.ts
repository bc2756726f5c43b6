import * as fc from "fast-check";
import { dirname, join } from "node:path";
import { judgeImage } from "../../src/image/mod.ts";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import { CryptsetupPeer, LuksdePeer, QemuImgPeer, QemuIoSession } from "../../src/peers/mod.ts";
import { type CaseReport, Failure, type Target, type TargetContext } from "../engine/target.ts";
import { PASSPHRASES } from "../generate/encryption.ts";
import { describeEdit, type Edit, editLists } from "../mutate/mod.ts";
import { type Ask, type Asked, compareAnswer, compareContent, type Seen } from "./answers.ts";
import { explanationOf } from "./divergences.ts";
import { excerptOfImage } from "./excerpt.ts";
import { writeDensely } from "./files.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import {
  aboutVolume,
  compareCryptsetup,
  compareLuksde,
  type LuksTools,
  type Volume,
} from "./luks_answers.ts";
import { luksDepth } from "./luks_trial.ts";
import {
  describeVolume,
  keyOptions,
  passphraseOf,
  volumeEdits,
  volumeFiles,
  volumes,
} from "./luks_volume.ts";
import { caseFiles, type KeyChoice, openVolume } from "./volume_files.ts";

/** A case of `luks-differential`: a volume, what was done to it, its key, and whom to ask. */
export interface LuksDifferentialCase {
  readonly model: Luks1Model;
  readonly edits: readonly Edit[];
  readonly key: KeyChoice;
  /** The question beyond content and allocation, which qemu-io is always asked. */
  readonly ask: Ask | "cryptsetup" | "luksdeinfo";
}

/** Milliseconds for one answer: less than a case may take, so that it is known who did not answer. */
const ANSWER_MS = 8000;
/** Sets of passphrases that processes of qemu-io are kept for. */
const PASSPHRASES_MAX = 3;
/** One volume in so many is like no other. */
const RARELY = 12;
const BUDGET = "luks.work.iterations-budget";

/**
 * The property: qemu-img, cryptsetup and luksdeinfo say of any volume, sound or malformed, what the
 * reference says, or differ from it for a reason that is known.
 *
 * Every case is read by qemu-io, which stays as it is between cases. The other tools are a process or
 * more a case, and so each is asked about a share of the cases, which the case itself says: qemu-img
 * for `info` about one in four, cryptsetup about one in eight, luksdeinfo one in sixteen. A detached
 * header is read by QEMU from 9.0 on; before that, cryptsetup is asked about every one instead.
 */
export const luksDifferential: Target<LuksDifferentialCase> = {
  name: "luks-differential",
  says:
    "verdict, info and content of LUKS volumes are those of qemu-img, cryptsetup and luksdeinfo",
  weight: 2,
  needs: ["qemu-img", "qemu-io"],
  uses: ["cryptsetup", "luksdeinfo"],
  cases: luksDifferentialCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as LuksDifferentialCase,
  files: ({ model, edits }) => caseFiles(volumeFiles(model, edits)),
  describe: ({ model, edits, key, ask }) =>
    [describeVolume(model), ...edits.map(describeEdit), `key: ${key}`, `asked for ${ask}`]
      .join("\n"),
  excerpt: ({ model, edits }) => excerptOfImage(volumeFiles(model, edits).header, "luks"),
  passphrases: ({ model, key }) => [passphraseOf(model, key)].filter((it) => it !== undefined),
  run: runLuksDifferential,
  async stop() {
    const closing = tools;
    tools = undefined;
    await closing?.session.close();
  },
};

const HEADER = "volume.luks";
const PAYLOAD = "payload.raw";

function luksDifferentialCases(): fc.Arbitrary<LuksDifferentialCase> {
  const asks = fc.oneof(
    { weight: 6, arbitrary: fc.constant("nothing" as const) },
    { weight: 4, arbitrary: fc.constant("info" as const) },
    { weight: 2, arbitrary: fc.constant("cryptsetup" as const) },
    { weight: 2, arbitrary: fc.constantFrom("map" as const, "check" as const) },
    { weight: 1, arbitrary: fc.constant("luksdeinfo" as const) },
  );
  const keys = fc.oneof(
    { weight: 8, arbitrary: fc.constant<KeyChoice>("right") },
    { weight: 2, arbitrary: fc.constant<KeyChoice>("wrong") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("none") },
  );
  const edits = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, {
    weight: 3,
    arbitrary: editLists(),
  });
  const passphrases = PASSPHRASES.slice(0, PASSPHRASES_MAX);
  // Twice as many of what QEMU knows as of all that there is.
  const models = fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: volumes({ rarely: RARELY, passphrases }) },
    { weight: 1, arbitrary: volumes({ qemu: false, rarely: RARELY, passphrases }) },
  );
  return fc.tuple(models, edits, keys, asks).map(([model, draws, key, ask]) => {
    return { model, edits: volumeEdits(model, draws), key, ask };
  });
}

let tools: LuksTools | undefined;

function toolsFor(context: TargetContext): LuksTools {
  if (tools !== undefined) return tools;
  const scratch = dirname(context.directory);
  const bounds = { scratch, timeoutMs: ANSWER_MS };
  const qemuImg = new QemuImgPeer(bounds);
  const { "qemu-img": version = "", cryptsetup, luksdeinfo } = context.tools;
  const session = new QemuIoSession({ ...bounds, directory: context.directory });
  tools = {
    session,
    qemuImg,
    version,
    ...(cryptsetup === undefined
      ? {}
      : { cryptsetup: { peer: new CryptsetupPeer(bounds), version: cryptsetup } }),
    ...(luksdeinfo === undefined
      ? {}
      : { luksde: { peer: new LuksdePeer({ timeoutMs: ANSWER_MS }), version: luksdeinfo } }),
  };
  return tools;
}

async function runLuksDifferential(
  { model, edits, key, ask }: LuksDifferentialCase,
  context: TargetContext,
): Promise<CaseReport> {
  const { directory } = context;
  const files = volumeFiles(model, edits);
  const { header, payload } = files;
  writeDensely(join(directory, HEADER), header);
  if (payload !== undefined) writeDensely(join(directory, PAYLOAD), payload);
  const passphrase = passphraseOf(model, key);
  const image = openVolume(files, "luks", keyOptions([passphrase]));
  const judgement = judgeImage(image);
  const volume: Volume = {
    directory,
    path: join(directory, payload === undefined ? HEADER : PAYLOAD),
    ...(payload === undefined ? {} : { header: join(directory, HEADER) }),
    format: "luks",
    image,
    judgement,
    edited: edits.length > 0,
    passphrases: passphrase === undefined ? [] : [passphrase],
  };
  const asked = { ...volume, ...toolsFor(context) };
  const { seen, skipped } = await answers(asked, ask);
  const names = seen.map(explained);
  return {
    depth: luksDepth(image),
    rules: judgement.findings.map(({ rule }) => rule),
    ...(names.length > 0 ? { divergences: names } : {}),
    ...(skipped === undefined ? {} : { skipped }),
  };
}

/** What was seen, and why less was seen than was asked for. */
async function answers(
  asked: Asked & LuksTools,
  ask: LuksDifferentialCase["ask"],
): Promise<{ seen: Seen[]; skipped?: string }> {
  if (ask === "cryptsetup") return await compareCryptsetup(asked);
  if (ask === "luksdeinfo") return await compareLuksde(asked);
  // QEMU has no option for a detached header before 9.0.
  if (asked.header !== undefined && Number.parseInt(asked.version) < 9) {
    return await compareCryptsetup(asked);
  }
  if (asked.image.findings.count(BUDGET) > 0) {
    // QEMU has no budget: it is not asked for what takes hours.
    const { passphrases: _, ...keyless } = asked;
    return { seen: (await compareAnswer(keyless, "info")).map((it) => aboutVolume(asked, it)) };
  }
  const seen = [...await compareContent(asked), ...await compareAnswer(asked, ask)];
  return { seen: seen.map((it) => aboutVolume(asked, it)) };
}

function explained({ observation, message }: Seen): string {
  const divergence = explanationOf(observation);
  if (divergence !== undefined) return divergence.name;
  const { tool, question, judgement, outcome, path = "" } = observation;
  const rules = [...new Set(judgement.findings.map(({ rule }) => rule))]
    .filter((rule) => !USUAL.includes(rule)).sort().slice(0, 2).join("+");
  const parts = [tool, question, `${outcome}${path}`, ...(rules === "" ? [] : [rules])];
  throw new Failure(parts.join("."), message);
}

/** What a volume breaks without being malformed. */
const USUAL: readonly string[] = ["luks.open.key-present", "luks.key.unlock"];
