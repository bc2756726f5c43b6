import * as fc from "fast-check";
import { dirname, join } from "node:path";
import { judgeImage } from "../../src/image/mod.ts";
import { CryptsetupPeer } from "../../src/peers/mod.ts";
import { type CaseReport, Failure, type Target, type TargetContext } from "../engine/target.ts";
import { writeDensely } from "./files.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { compareLuks2, type Luks2Seen } from "./luks2_answers.ts";
import { type Luks2Case, shownLuks2 } from "./luks2_case.ts";
import { luks2Divergences } from "./luks2_divergences.ts";
import { luks2Draws, luks2Edits } from "./luks2_draws.ts";
import { luks2Depth, openLuks2 } from "./luks2_trial.ts";
import { luks2Files, luks2Passphrase, luks2Volumes } from "./luks2_volume.ts";
import type { KeyChoice } from "./volume_files.ts";

/** A case of `luks2-differential`: a volume, what was done to it, and its key. */
export type Luks2DifferentialCase = Luks2Case;

/** Milliseconds for one answer: two are less than a case may take, so that it is known who was slow. */
const ANSWER_MS = 4000;
/** One volume in so many is like no other. */
const RARELY = 12;
const HEADER = "volume.luks";
const PAYLOAD = "payload.raw";

/**
 * The property: cryptsetup takes and refuses the headers that the reference takes and refuses, and
 * opens the same key slot with the same passphrase, or differs for a reason that is known.
 *
 * Each answer is a process, which costs more than all else. No device is mapped: the content is left
 * to what is recorded of cryptsetup.
 */
export const luks2Differential: Target<Luks2DifferentialCase> = {
  name: "luks2-differential",
  says: "cryptsetup takes the same LUKS2 headers, and opens the same key slots",
  weight: 1,
  needs: ["cryptsetup"],
  cases: differentialCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as Luks2DifferentialCase,
  ...shownLuks2,
  passphrases: ({ model, key }) => {
    const passphrase = luks2Passphrase(model, key);
    return passphrase === undefined ? [] : [passphrase];
  },
  run: runLuks2Differential,
};

function differentialCases(): fc.Arbitrary<Luks2DifferentialCase> {
  const keys = fc.oneof(
    { weight: 6, arbitrary: fc.constant<KeyChoice>("right") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("wrong") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("none") },
  );
  const edits = fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 9, arbitrary: luks2Draws() },
  );
  // Four times as many of what cryptsetup has everywhere as of all that there is.
  const models = fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: luks2Volumes({ aes: true, rarely: RARELY }) },
    { weight: 1, arbitrary: luks2Volumes({ rarely: RARELY }) },
  );
  return fc.tuple(models, edits, keys).map(([model, draws, key]) => {
    return { model, edits: luks2Edits(model, draws), key };
  });
}

async function runLuks2Differential(
  { model, edits, key }: Luks2DifferentialCase,
  context: TargetContext,
): Promise<CaseReport> {
  const { directory } = context;
  const files = luks2Files(model, edits);
  const passphrase = luks2Passphrase(model, key);
  const image = openLuks2(files, passphrase);
  const judgement = judgeImage(image);
  const report = { depth: luks2Depth(image), rules: judgement.findings.map(({ rule }) => rule) };
  const header = join(directory, HEADER);
  const payload = join(directory, PAYLOAD);
  writeDensely(header, files.header);
  if (files.payload !== undefined) writeDensely(payload, files.payload);
  const { seen, skipped } = await compareLuks2({
    subject: files.payload === undefined ? { path: header } : { path: payload, header },
    header: files.header,
    image,
    ...(passphrase === undefined ? {} : { passphrase }),
    peer: new CryptsetupPeer({ scratch: dirname(directory), timeoutMs: ANSWER_MS }),
    version: context.tools.cryptsetup ?? "",
  });
  return {
    ...report,
    ...(seen === undefined ? {} : { divergences: [explained(seen)] }),
    ...(skipped === undefined ? {} : { skipped }),
  };
}

function explained({ observation, message }: Luks2Seen): string {
  const divergence = luks2Divergences.find(({ explains }) => explains(observation));
  if (divergence !== undefined) return divergence.name;
  const { question, outcome, ours = "taken" } = observation;
  throw new Failure(`cryptsetup.${question}.${outcome}.${ours}`, message);
}
