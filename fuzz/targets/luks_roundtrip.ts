import * as fc from "fast-check";
import { type ByteSource, PatchedSource } from "../../src/bytes/mod.ts";
import {
  judgeImage,
  layersOf,
  mapOf,
  openBytes,
  openDetachedBytes,
  type OpenedImage,
  readContent,
} from "../../src/image/mod.ts";
import { addKey, contentOf, LuksError, type LuksModel } from "../../src/luks/mod.ts";
import { checkOutcome, compareJson, mergeMap } from "../../src/peers/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { type CaseFile, type CaseReport, Failure, type Target } from "../engine/target.ts";
import { firstDifference } from "./content.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import {
  assertKeys,
  changed,
  type KeyChange,
  keyChanges,
  type Keyed,
  keysOf,
} from "./luks_changes.ts";
import { expectedInfo } from "./luks_expected.ts";
import {
  describeVolume,
  keyOptions,
  utf8,
  type VolumeFiles,
  volumeFiles,
  volumes,
} from "./luks_volume.ts";

/** A case of `luks-roundtrip`: a sound volume, and what is done to its keys. */
export interface LuksRoundtripCase {
  readonly model: LuksModel;
  readonly changes: readonly KeyChange[];
}

/** Exit status of `check` for a format without a checker. */
const NO_CHECKER = 63;
const SECTOR = 512;
const LAST_SLOT = 7;
/** One volume in so many is like no other. */
const RARELY = 6;

/**
 * The property: what is built of a model opens with each of its keys and no others, has the model's
 * content and values, and keeps its content while keys are added, changed and erased.
 */
export const luksRoundtrip: Target<LuksRoundtripCase> = {
  name: "luks-roundtrip",
  says: "a generated LUKS volume reads back as its model says, whatever is done to its keys",
  weight: 1,
  cases: () =>
    fc.record({ model: volumes({ qemu: false, rarely: RARELY }), changes: keyChanges() }),
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as LuksRoundtripCase,
  files: ({ model }) => caseFiles(model),
  describe: ({ model, changes }) =>
    [describeVolume(model), ...changes.map(describeChange)].join("\n"),
  excerpt: ({ model }) => excerptOfImage(volumeFiles(model, []).header, "luks"),
  passphrases: ({ model }) => model.keys.map(({ passphrase }) => passphrase),
  run: runLuksRoundtrip,
};

function caseFiles(model: LuksModel): CaseFile[] {
  const { header, payload } = volumeFiles(model, []);
  return [
    { name: "volume.luks", source: header },
    ...(payload === undefined ? [] : [{ name: "payload.raw", source: payload }]),
  ];
}

function describeChange({ act, which, passphrase }: KeyChange): string {
  const key = `the key ${which} in use`;
  if (act === "add") return `a key is added for ${JSON.stringify(passphrase)}`;
  if (act === "change") return `${key} is changed to ${JSON.stringify(passphrase)}`;
  return act === "erase" ? `all slots of ${key} are erased` : `the slot of ${key} is erased`;
}

function runLuksRoundtrip({ model, changes }: LuksRoundtripCase): CaseReport {
  const files = volumeFiles(model, []);
  const passphrase = model.keys.at(-1)?.passphrase;
  const image = opened(files, passphrase);
  const { findings } = judgeImage(image);
  const broken = findings.find(({ rule }) => {
    const { class: ruleClass, level } = ruleOf(rule);
    return ruleClass === "spec" && level === "must";
  });
  if (broken !== undefined) {
    throw new Failure(`roundtrip.${broken.rule}`, `${broken.path}: ${broken.message}`);
  }
  assertAnswers(image, model);
  assertContent(image, model);
  let keyed: Keyed = {
    header: files.header.read(0, files.header.size).slice(),
    keys: keysOf(model),
  };
  assertKeys(keyed);
  if (model.cutHeader) assertUnchangeable(keyed.header, model);
  else {
    for (const change of changes) keyed = changed(keyed, change);
    if (changes.length > 0) {
      assertKeys(keyed);
      const header = withHeader(files.header, keyed.header);
      assertContent(opened({ ...files, header }, [...keyed.keys.values()].at(-1)), model);
    }
  }
  return { depth: "accepted", rules: findings.map(({ rule }) => rule) };
}

/** The file with another header and other key material. */
function withHeader(file: ByteSource, bytes: Uint8Array): ByteSource {
  return new PatchedSource(file, [{ offset: 0, bytes }], file.size);
}

function opened({ header, payload }: VolumeFiles, passphrase: string | undefined): OpenedImage {
  const keys = keyOptions([passphrase]);
  return payload === undefined
    ? openBytes(header, "luks", keys)
    : openDetachedBytes(payload, header, keys);
}

/** `info`, `map` and `check` say what follows from the model. */
function assertAnswers(image: OpenedImage, model: LuksModel): void {
  const info = image.layer?.info()["format-specific"]?.data ?? {};
  const [differs] = compareJson(info, expectedInfo(model));
  if (differs !== undefined) {
    throw new Failure("luks.info", `${differs.path}: ${differs.left}, not ${differs.right}`);
  }
  const size = model.size + (model.tail === 0 ? 0 : SECTOR);
  // Of an empty disk there is one empty entry.
  const entries = mergeMap(mapOf(image).entries);
  const covered = entries.reduce((sum, { length }) => sum + length, 0);
  if (covered !== size || entries.some(({ data, zero, depth }) => !data || zero || depth !== 0)) {
    throw new Failure("luks.map", `${JSON.stringify(entries)} of ${size} bytes`);
  }
  const check = checkOutcome(image);
  if (check.outcome !== "accepted" || check.value.exitCode !== NO_CHECKER) {
    throw new Failure("luks.check", JSON.stringify(check));
  }
}

function assertContent(image: OpenedImage, model: LuksModel): void {
  if (image.layer?.unlocked !== true) {
    throw new Failure("luks.locked", JSON.stringify(image.findings.list()));
  }
  const found = readContent(layersOf(image), 0n, model.size);
  const differs = firstDifference(found, contentOf(model));
  if (differs >= 0) {
    throw new Failure("content.bytes", `Another byte than in the model at ${differs}`);
  }
}

/** Keys of a header that lacks the last key materials are not changed. */
function assertUnchangeable(header: Uint8Array, model: LuksModel): void {
  if (model.keys.some(({ slot }) => slot === LAST_SLOT)) return;
  const [key] = model.keys;
  const passphrase = utf8(key?.passphrase ?? "");
  const random = (length: number): Uint8Array => new Uint8Array(length);
  try {
    addKey(header, { passphrase, newPassphrase: passphrase, iterations: 1, random });
  } catch (error) {
    if (error instanceof LuksError) return;
    throw error;
  }
  throw new Failure("luks.change.cut", "A key was added to a header that is cut short");
}
