import * as fc from "fast-check";
import { remembering } from "../../src/format/mod.ts";
import { mapOf, type OpenedImage } from "../../src/image/mod.ts";
import { chooseCopy, decodeLuks2, type Luks2Model, unlock } from "../../src/luks2/mod.ts";
import { compareJson, mergeMap } from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import { type CaseReport, Failure, type Target } from "../engine/target.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { type Luks2Case, shownLuks2 } from "./luks2_case.ts";
import { garblingDraws, luks2Edits } from "./luks2_draws.ts";
import { expectedLuks2Info } from "./luks2_expected.ts";
import { opensStill } from "./luks2_open.ts";
import { assertSound, openLuks2 } from "./luks2_trial.ts";
import { luks2Files, luks2Passphrase, luks2Slot, luks2Volumes, WORK_MAX } from "./luks2_volume.ts";
import { utf8, type VolumeFiles } from "./volume_files.ts";
import { assertUnbroken } from "./volume_checks.ts";

/** A case of `luks2-roundtrip`: a sound volume, and what is done to the copy that is not needed. */
export interface Luks2RoundtripCase extends Luks2Case {
  /** What the volume is opened with after that. */
  readonly key: "right" | "none";
}

/** One volume in so many is like no other: it is built, and all that is in it is tried. */
const RARELY = 24;
/** Volumes of which it is known that they are as their models say. */
const KNOWN_MAX = 2 ** 12;

/**
 * The property: what is built of a model opens with each of its keys that is tried and with no other,
 * has the model's content and values, and keeps both when one copy of its header is damaged.
 *
 * What costs time is to try a passphrase on a key slot, which goes over all of its 4000 stripes. So a
 * volume as it was built is tried once, when it first comes up, and then it is one copy that is damaged.
 * That changes nothing of the key slots: the volume has to say the same of itself, and one time in three
 * it is opened and read.
 */
export const luks2Roundtrip: Target<Luks2RoundtripCase> = {
  name: "luks2-roundtrip",
  says: "a generated LUKS2 volume reads back as its model says, also from the copy that is left",
  weight: 1,
  cases: roundtripCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as Luks2RoundtripCase,
  ...shownLuks2,
  passphrases: ({ model }) => model.keys.map(({ passphrase }) => passphrase),
  run: runLuks2Roundtrip,
};

function roundtripCases(): fc.Arbitrary<Luks2RoundtripCase> {
  const keys = fc.constantFrom("none" as const, "none" as const, "right" as const);
  const draws = fc.tuple(garblingDraws("primary"), garblingDraws("secondary"), fc.boolean());
  return fc.tuple(luks2Volumes({ rarely: RARELY }), draws, keys).map(([model, drawn, key]) => {
    const [primary, secondary, first] = drawn;
    const [edits = []] = (first ? [primary, secondary] : [secondary, primary])
      .map((each) => luks2Edits(model, each))
      // A copy that is needed is left alone.
      .filter((each) => opensStill(model, each));
    return { model, edits, key };
  });
}

function runLuks2Roundtrip({ model, edits, key }: Luks2RoundtripCase): CaseReport {
  const rules = rulesOfSound(model);
  if (edits.length === 0) return { depth: "accepted", rules };
  const image = openLuks2(luks2Files(model, edits), luks2Passphrase(model, key));
  // An edit behind a digest that is shorter than its field leaves a copy that is sound.
  const found = assertUnbroken(image, ["luks2.header.padding"]);
  assertSound(image, model, key);
  assertInfo(image, model, { damaged: true });
  if (key === "right") assertMap(image, model);
  return { depth: key === "right" ? "accepted" : "data", rules: found };
}

/**
 * The rules that a volume breaks which is as it was built, and as its model says: that follows from the
 * model alone, and most models come up again and again.
 */
const rulesOfSound: (model: Luks2Model) => readonly RuleId[] = remembering((model) => {
  const files = luks2Files(model, []);
  const image = openLuks2(files, luks2Passphrase(model, "right"));
  const rules = assertUnbroken(image);
  assertSound(image, model, "right");
  assertInfo(image, model);
  assertMap(image, model);
  assertKeys(files, model);
  return rules;
}, { sizeOf: () => 1, sizeMax: KNOWN_MAX });

/** @param options.damaged the copy that is not gone by may be anything */
function assertInfo(
  { layer }: OpenedImage,
  model: Luks2Model,
  { damaged = false }: { damaged?: boolean } = {},
): void {
  const info = layer?.info()["format-specific"]?.data ?? {};
  const { copies, seqid, ...expected } = expectedLuks2Info(model);
  const [differs] = compareJson(info, {
    ...expected,
    copies: damaged ? info["copies"] ?? null : copies ?? null,
    seqid: damaged ? info["seqid"] ?? null : seqid ?? null,
  });
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
