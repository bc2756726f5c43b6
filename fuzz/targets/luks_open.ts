import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Pattern, patternBytes } from "../../src/format/mod.ts";
import { type Luks1Model, LUKS_MAGIC } from "../../src/luks1/mod.ts";
import type { CaseFile, CaseReport, Target } from "../engine/target.ts";
import { patterns } from "../generate/values.ts";
import { describeEdit, type Edit, editLists } from "../mutate/mod.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { insideEdits, insideImage } from "./luks_inside.ts";
import { tryVolume } from "./luks_trial.ts";
import {
  describeVolume,
  keyOptions,
  passphraseOf,
  volumeEdits,
  volumeFiles,
  volumes,
} from "./luks_volume.ts";
import { judgeBounded } from "./open.ts";
import { caseFiles, KEY_WORDS, type KeyChoice, type VolumeFiles } from "./volume_files.ts";

/** What was done to a volume, and what it is opened with. */
export interface LuksTrial {
  readonly edits: readonly Edit[];
  readonly key: KeyChoice;
}

/** A case of `luks-open`: a sound volume and what was done to it, or bytes that never were one. */
export type LuksOpenCase =
  | {
    /** `volume`: a file, or two with a detached header; `inside`: the same header inside qcow2. */
    readonly kind: "volume" | "inside";
    readonly model: Luks1Model;
    /** Each is one malformed volume: making a sound one costs more than judging what becomes of it. */
    readonly variants: readonly LuksTrial[];
  }
  /** The magic, a version, and bytes that mean nothing. */
  | {
    readonly kind: "noise";
    readonly version: number;
    readonly pattern: Pattern;
    readonly length: number;
    /** They are the header of a payload. */
    readonly detached: boolean;
  };

/** Malformed volumes of one sound volume. */
const VARIANTS_MAX = 12;

/**
 * Any bytes read as LUKS, alone, with a payload of its own and inside qcow2: a verdict with findings
 * that agree with each other, and never anything else. Work is bounded before it is done: iterations
 * that a header asks for cost nothing here.
 */
export const luksOpen: Target<LuksOpenCase> = {
  name: "luks-open",
  says: "any bytes read as LUKS: findings that agree with what is read, no other exception or hang",
  weight: 1,
  cases: luksOpenCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as LuksOpenCase,
  files: allFiles,
  describe: describeCase,
  excerpt: (value) =>
    allFiles(value).filter(({ name }) => !name.startsWith("payload"))
      .map(({ source }) => excerptOfImage(source, value.kind === "inside" ? "qcow2" : "luks"))
      .join("\n\n"),
  passphrases: (value) =>
    value.kind === "noise"
      ? []
      : value.variants.map(({ key }) => passphraseOf(value.model, key)).filter((it) =>
        it !== undefined
      ),
  run: runLuksOpen,
};

function luksOpenCases(): fc.Arbitrary<LuksOpenCase> {
  // Trying a passphrase takes some fifty times as long as judging a header.
  const keys = fc.oneof(
    { weight: 46, arbitrary: fc.constant<KeyChoice>("none") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("right") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("wrong") },
  );
  const edits = fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, {
    weight: 15,
    arbitrary: editLists(),
  });
  const trials = fc.record({ draws: edits, key: keys });
  const lists = fc.array(trials, { minLength: 1, maxLength: VARIANTS_MAX, size: "max" });
  const models = volumes({ qemu: false });
  const kinds = fc.constantFrom("volume" as const, "volume" as const, "inside" as const);
  const edited = fc.tuple(kinds, models, lists).map(([kind, model, trials]): LuksOpenCase => ({
    kind,
    model,
    variants: trials.map(({ draws, key }) => ({
      edits: kind === "inside" ? insideEdits(model, draws) : volumeEdits(model, draws),
      key,
    })),
  }));
  const noise = fc.record({
    kind: fc.constant("noise" as const),
    version: fc.constantFrom(1, 1, 2, 0),
    pattern: patterns(),
    length: fc.nat({ max: 4096 }),
    detached: fc.boolean(),
  });
  return fc.oneof({ weight: 24, arbitrary: edited }, { weight: 1, arbitrary: noise });
}

/** The files of a variant: the qcow2 image, or the volume. */
function filesOf(
  value: Exclude<LuksOpenCase, { kind: "noise" }>,
  { edits }: LuksTrial,
): VolumeFiles {
  return value.kind === "inside"
    ? { header: insideImage(value.model, edits) }
    : volumeFiles(value.model, edits);
}

function noiseFiles(
  { version, pattern, length, detached }: LuksOpenCase & { kind: "noise" },
): VolumeFiles {
  const bytes = patternBytes(pattern, length);
  if (length >= LUKS_MAGIC.length + 2) {
    bytes.set(LUKS_MAGIC);
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(LUKS_MAGIC.length, version);
  }
  const header = new MemorySource(bytes);
  return detached ? { header, payload: new MemorySource(bytes.subarray(length / 2)) } : { header };
}

function allFiles(value: LuksOpenCase): CaseFile[] {
  const all = value.kind === "noise"
    ? [noiseFiles(value)]
    : value.variants.map((variant) => filesOf(value, variant));
  return all.flatMap((files, index) =>
    value.kind === "inside"
      ? [{ name: `image-${index}.qcow2`, source: files.header }]
      : caseFiles(files, { number: `-${index}` })
  );
}

function describeCase(value: LuksOpenCase): string {
  if (value.kind === "noise") {
    const { length, pattern, version } = value;
    return `${length} bytes of ${pattern.kind} behind the magic and version ${version}`;
  }
  const where = value.kind === "inside" ? " inside qcow2" : "";
  const variants = value.variants.map(({ edits, key }) =>
    [...edits.map(describeEdit), `opened with ${KEY_WORDS[key]}`].join("\n")
  );
  return [`${describeVolume(value.model)}${where}`, variants.join("\nor\n")].join("\n");
}

function runLuksOpen(value: LuksOpenCase): CaseReport {
  if (value.kind === "noise") {
    return tryVolume(noiseFiles(value), { key: "none", untouched: false });
  }
  const [first, ...more] = value.variants.map((trial): CaseReport => {
    const { edits, key } = trial;
    const keys = keyOptions([passphraseOf(value.model, key)]);
    const files = filesOf(value, trial);
    if (value.kind === "inside") return judgeBounded(files.header, "qcow2", keys);
    return tryVolume(files, { model: value.model, key, untouched: edits.length === 0 });
  });
  return { ...first as CaseReport, more };
}
