import * as fc from "fast-check";
import { judgeImage, mapOf, type OpenedImage } from "../../src/image/mod.ts";
import { chooseCopy, decodeLuks2, type Luks2Model, unlock } from "../../src/luks2/mod.ts";
import { compareJson, mergeMap } from "../../src/peers/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { type CaseReport, Failure, type Target } from "../engine/target.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { garblingDraws, luks2Edits } from "./luks2_draws.ts";
import { describeLuks2Edit, type Luks2Edit } from "./luks2_edits.ts";
import { expectedLuks2Info } from "./luks2_expected.ts";
import { opensStill } from "./luks2_open.ts";
import { assertSound, openLuks2 } from "./luks2_trial.ts";
import {
  describeLuks2,
  luks2Files,
  luks2Passphrase,
  luks2Slot,
  luks2Volumes,
  WORK_MAX,
} from "./luks2_volume.ts";
import { utf8, type VolumeFiles } from "./luks_volume.ts";

/** A case of `luks2-roundtrip`: a sound volume, and what is done to the copy that is not needed. */
export interface Luks2RoundtripCase {
  readonly model: Luks2Model;
  readonly edits: readonly Luks2Edit[];
}

const HEADER = "volume.luks";
/** One volume in so many is like no other. */
const RARELY = 6;

/**
 * The property: what is built of a model opens with each of its keys that is tried and with no other,
 * has the model's content and values, and keeps both when one copy of its header is damaged.
 */
export const luks2Roundtrip: Target<Luks2RoundtripCase> = {
  name: "luks2-roundtrip",
  says: "a generated LUKS2 volume reads back as its model says, also from the copy that is left",
  weight: 1,
  cases: roundtripCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as Luks2RoundtripCase,
  files: ({ model, edits }) => {
    const { header, payload } = luks2Files(model, edits);
    return [
      { name: HEADER, source: header },
      ...(payload === undefined ? [] : [{ name: "payload.raw", source: payload }]),
    ];
  },
  describe: ({ model, edits }) =>
    [describeLuks2(model), ...edits.map(describeLuks2Edit)].join("\n"),
  excerpt: ({ model, edits }) => excerptOfImage(luks2Files(model, edits).header, "luks2"),
  passphrases: ({ model }) => model.keys.map(({ passphrase }) => passphrase),
  run: runLuks2Roundtrip,
};

function roundtripCases(): fc.Arbitrary<Luks2RoundtripCase> {
  const draws = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: garblingDraws("primary") },
    { weight: 1, arbitrary: garblingDraws("secondary") },
  );
  return fc.tuple(luks2Volumes({ rarely: RARELY }), draws).map(([model, drawn]) => {
    const edits = luks2Edits(model, drawn);
    // A copy that is needed is left alone.
    return { model, edits: opensStill(model, edits) ? edits : [] };
  });
}

function runLuks2Roundtrip({ model, edits }: Luks2RoundtripCase): CaseReport {
  const files = luks2Files(model, edits);
  const image = openLuks2(files, luks2Passphrase(model, "right"));
  const { findings } = judgeImage(image);
  const broken = findings.find(({ rule }) => {
    const { class: ruleClass, level } = ruleOf(rule);
    // An edit behind a digest that is shorter than its field leaves a copy that is sound.
    if (edits.length > 0 && rule === "luks2.header.padding") return false;
    return ruleClass === "spec" && level === "must";
  });
  if (broken !== undefined) {
    throw new Failure(`roundtrip.${broken.rule}`, `${broken.path}: ${broken.message}`);
  }
  assertSound(image, model, "right");
  if (edits.length === 0) assertInfo(image, model);
  assertMap(image, model);
  assertKeys(files, model);
  return { depth: "accepted", rules: findings.map(({ rule }) => rule) };
}

function assertInfo({ layer }: OpenedImage, model: Luks2Model): void {
  const info = layer?.info()["format-specific"]?.data ?? {};
  const [differs] = compareJson(info, expectedLuks2Info(model));
  if (differs === undefined) return;
  const { path, left, right } = differs;
  throw new Failure("luks2.info", `${path}: ${JSON.stringify(left)}, not ${JSON.stringify(right)}`);
}

/** All of the payload is data. */
function assertMap(image: OpenedImage, { size }: Luks2Model): void {
  const entries = mergeMap(mapOf(image).entries);
  const [entry] = entries;
  const whole = entries.length === 1 && entry !== undefined && entry.start === 0 &&
    entry.length === size && entry.data && !entry.zero && entry.depth === 0;
  if (!whole) throw new Failure("luks2.map", `${JSON.stringify(entries)} of ${size} bytes`);
}

/** Each passphrase opens the slot that the model tells, and each slot its own alone. */
function assertKeys({ header: keyMaterial }: VolumeFiles, model: Luks2Model): void {
  const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
  if (metadata === undefined) throw new Failure("luks2.copy", "No copy counts");
  const opened = (passphrase: string, slot?: number): number | undefined => {
    const key = unlock(metadata, {
      keyMaterial,
      passphrase: utf8(passphrase),
      iterationsMax: WORK_MAX,
      ...(slot === undefined ? {} : { slot }),
    });
    return "slot" in key ? key.slot : undefined;
  };
  const wrong = luks2Passphrase(model, "wrong") ?? "";
  const found = [
    ...model.keys.flatMap(({ slot, passphrase }) => [
      { asked: passphrase, slot: opened(passphrase), expected: luks2Slot(model, passphrase) },
      { asked: passphrase, slot: opened(passphrase, slot), expected: slot },
    ]),
    { asked: wrong, slot: opened(wrong), expected: undefined },
  ];
  const differs = found.find(({ slot, expected }) => slot !== expected);
  if (differs === undefined) return;
  const { asked, slot, expected } = differs;
  throw new Failure(
    "luks2.slot",
    `${JSON.stringify(asked)} opens slot ${slot ?? "none"}, not ${expected ?? "none"}`,
  );
}
