import * as fc from "fast-check";
import { remembering } from "../../src/format/mod.ts";
import { type ByteSource, PatchedSource } from "../../src/bytes/mod.ts";
import { mapOf, type OpenedImage } from "../../src/image/mod.ts";
import {
  addKey,
  contentOf,
  decodeLuks1,
  Luks1Error,
  type Luks1Model,
  Luks1Volume,
} from "../../src/luks1/mod.ts";
import { checkOutcome, compareJson, mergeMap } from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import { type CaseReport, Failure, type Target } from "../engine/target.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import {
  assertChanged,
  assertKeys,
  changed,
  type KeyChange,
  keyChanges,
  type Keyed,
  keysOf,
} from "./luks_changes.ts";
import { expectedInfo } from "./luks_expected.ts";
import { describeVolume, keyOptions, volumeFiles, volumes } from "./luks_volume.ts";
import { caseFiles, openVolume, utf8, type VolumeFiles } from "./volume_files.ts";
import { assertContent, assertSame, assertUnbroken } from "./volume_checks.ts";

/** A case of `luks-roundtrip`: a sound volume, and what is done to its keys. */
export interface LuksRoundtripCase {
  readonly model: Luks1Model;
  readonly changes: readonly KeyChange[];
}

/** Exit status of `check` for a format without a checker. */
const NO_CHECKER = 63;
const SECTOR = 512;
const LAST_SLOT = 7;
/** One volume in so many is like no other: it is built, and all that is in it is tried. */
const RARELY = 32;
/** Volumes of which it is known that they are as their models say. */
const KNOWN_MAX = 2 ** 12;

/**
 * The property: what is built of a model opens with each of its keys and no others, has the model's
 * content and values, and keeps its content while keys are added, changed and erased.
 *
 * What costs time is to try a passphrase on a key slot, which goes over all of its 4000 stripes: neither
 * QEMU nor cryptsetup takes another number of them, nor does the reference. So none is tried for what is
 * known already. A volume as it was built is tried once, when it first comes up; and of the slots, after
 * keys were changed, those that are not what they were before, byte for byte.
 */
export const luksRoundtrip: Target<LuksRoundtripCase> = {
  name: "luks-roundtrip",
  says: "a generated LUKS volume reads back as its model says, whatever is done to its keys",
  weight: 1,
  cases: () =>
    fc.record({
      model: volumes({ qemu: false, rarely: RARELY, quick: true }),
      changes: keyChanges(),
    }),
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as LuksRoundtripCase,
  files: ({ model }) => caseFiles(volumeFiles(model, [])),
  describe: ({ model, changes }) =>
    [describeVolume(model), ...changes.map(describeChange)].join("\n"),
  excerpt: ({ model }) => excerptOfImage(volumeFiles(model, []).header, "luks"),
  passphrases: ({ model }) => model.keys.map(({ passphrase }) => passphrase),
  run: runLuksRoundtrip,
};

function describeChange({ act, which, passphrase }: KeyChange): string {
  const key = `the key ${which} in use`;
  if (act === "add") return `a key is added for ${JSON.stringify(passphrase)}`;
  if (act === "change") return `${key} is changed to ${JSON.stringify(passphrase)}`;
  return act === "erase" ? `all slots of ${key} are erased` : `the slot of ${key} is erased`;
}

function runLuksRoundtrip({ model, changes }: LuksRoundtripCase): CaseReport {
  const rules = rulesOfSound(model);
  // A header that lacks the last key materials is refused; the rest of it is as good as another.
  const files = volumeFiles({ ...model, cutHeader: false }, []);
  const header = files.header.read(0, files.header.size).slice();
  let keyed: Keyed = { header, keys: keysOf(model) };
  for (const change of changes) {
    const after = changed(keyed, change);
    for (const key of assertChanged(keyed, after)) assertOpens(files, model, key);
    keyed = after;
  }
  const changedFiles = { ...files, header: withHeader(files.header, keyed.header) };
  assertUnbroken(openVolume(changedFiles, "luks", {}));
  return { depth: "accepted", rules };
}

/**
 * The rules that a volume breaks which is as it was built, and as its model says: that follows from the
 * model alone, and most models come up again and again.
 */
const rulesOfSound: (model: Luks1Model) => readonly RuleId[] = remembering((model) => {
  const files = volumeFiles(model, []);
  const image = openVolume(files, "luks", keyOptions([model.keys.at(-1)?.passphrase]));
  const rules = assertUnbroken(image);
  assertAnswers(image, model);
  assertContent(image, contentOf(model), { format: "luks" });
  const header = files.header.read(0, files.header.size);
  assertKeys({ header, keys: keysOf(model) });
  if (model.cutHeader) assertUnchangeable(header, model);
  return rules;
}, { sizeOf: () => 1, sizeMax: KNOWN_MAX });

/** A master key opens the content of the model. */
function assertOpens(
  { header, payload }: VolumeFiles,
  model: Luks1Model,
  masterKey: Uint8Array,
): void {
  const start = payload === undefined ? decodeLuks1(header).payload_offset * SECTOR : 0;
  const sectors = new Uint8Array(model.size);
  (payload ?? header).readInto(start, sectors);
  new Luks1Volume(model.spec, masterKey).decryptSectors(sectors, 0n);
  assertSame(sectors, contentOf(model));
}

/** The file with another header and other key material. */
function withHeader(file: ByteSource, bytes: Uint8Array): ByteSource {
  return new PatchedSource(file, [{ offset: 0, bytes }], file.size);
}

/** `info`, `map` and `check` say what follows from the model. */
function assertAnswers(image: OpenedImage, model: Luks1Model): void {
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

/** Keys of a header that lacks the last key materials are not changed. */
function assertUnchangeable(header: Uint8Array, model: Luks1Model): void {
  if (model.keys.some(({ slot }) => slot === LAST_SLOT)) return;
  const [key] = model.keys;
  const passphrase = utf8(key?.passphrase ?? "");
  const random = (length: number): Uint8Array => new Uint8Array(length);
  try {
    addKey(header, { passphrase, newPassphrase: passphrase, iterations: 1, random });
  } catch (error) {
    if (error instanceof Luks1Error) return;
    throw error;
  }
  throw new Failure("luks.change.cut", "A key was added to a header that is cut short");
}
