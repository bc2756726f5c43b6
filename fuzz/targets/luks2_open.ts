import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Pattern, patternBytes } from "../../src/format/mod.ts";
import {
  type CopyName,
  HEADER_SIZES,
  type Luks2Model,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../../src/luks2/mod.ts";
import type { CaseFile, CaseReport, Target } from "../engine/target.ts";
import { patterns } from "../generate/values.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { garblingDraws, type Luks2Draw, luks2Draws, luks2Edits } from "./luks2_draws.ts";
import { describeVariant, type Luks2Variant } from "./luks2_case.ts";
import { isCopyEdit, type Luks2Edit } from "./luks2_edits.ts";
import { tryLuks2 } from "./luks2_trial.ts";
import { describeLuks2, luks2Files, luks2Passphrase, luks2Volumes } from "./luks2_volume.ts";
import { caseFiles, type KeyChoice, type VolumeFiles } from "./volume_files.ts";

/** A case of `luks2-open`: a sound volume and what was done to it, or bytes that never were one. */
export type Luks2OpenCase =
  | {
    readonly kind: "volume";
    readonly model: Luks2Model;
    /** Each is one malformed volume: making a sound one costs more than judging what becomes of it. */
    readonly variants: readonly Luks2Variant[];
  }
  /** The magic of a copy, version 2, and bytes that mean nothing. */
  | {
    readonly kind: "noise";
    readonly copy: CopyName;
    readonly pattern: Pattern;
    readonly length: number;
    /** They are the header of a payload. */
    readonly detached: boolean;
  };

/** Malformed volumes of one sound volume. */
const VARIANTS_MAX = 8;
const NOISE_MAX = 2 ** 16;

/**
 * Any bytes read as LUKS version 2, alone and with a payload of its own: a verdict with findings that
 * agree with each other, and never anything else. What a header asks for costs nothing here that it
 * has not got. Where one copy is as it was built, and the other one is none, the volume opens.
 */
export const luks2Open: Target<Luks2OpenCase> = {
  name: "luks2-open",
  says:
    "any bytes read as LUKS2: findings that agree with what is read, no other exception or hang",
  weight: 1,
  cases: luks2OpenCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as Luks2OpenCase,
  files: allFiles,
  describe: describeCase,
  excerpt: (value) =>
    allFiles(value).filter(({ name }) => !name.startsWith("payload"))
      .map(({ source }) => excerptOfImage(source, "luks2")).join("\n\n"),
  passphrases: (value) =>
    value.kind === "noise"
      ? []
      : value.variants.map(({ key }) => luks2Passphrase(value.model, key)).filter((it) =>
        it !== undefined
      ),
  run: runLuks2Open,
};

function luks2OpenCases(): fc.Arbitrary<Luks2OpenCase> {
  // Trying a passphrase takes some ten times as long as judging a header.
  const keys = fc.oneof(
    { weight: 14, arbitrary: fc.constant<KeyChoice>("none") },
    { weight: 3, arbitrary: fc.constant<KeyChoice>("right") },
    { weight: 1, arbitrary: fc.constant<KeyChoice>("wrong") },
  );
  const edits = fc.oneof<fc.WeightedArbitrary<Luks2Draw[]>[]>(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 14, arbitrary: luks2Draws() },
    { weight: 1, arbitrary: garblingDraws("primary") },
    { weight: 1, arbitrary: garblingDraws("secondary") },
  );
  const trials = fc.record({ draws: edits, key: keys });
  const lists = fc.array(trials, { minLength: 1, maxLength: VARIANTS_MAX, size: "max" });
  const edited = fc.tuple(luks2Volumes(), lists).map(([model, trials]): Luks2OpenCase => ({
    kind: "volume",
    model,
    variants: trials.map(({ draws, key }) => ({ edits: luks2Edits(model, draws), key })),
  }));
  const noise = fc.record({
    kind: fc.constant("noise" as const),
    copy: fc.constantFrom<CopyName>("primary", "secondary"),
    pattern: patterns(),
    length: fc.nat({ max: NOISE_MAX }),
    detached: fc.boolean(),
  });
  return fc.oneof({ weight: 24, arbitrary: edited }, { weight: 1, arbitrary: noise });
}

const VERSION = [0, 2];

function noiseFiles(
  { copy, pattern, length, detached }: Luks2OpenCase & { kind: "noise" },
): VolumeFiles {
  const bytes = patternBytes(pattern, length).slice();
  const at = copy === "primary" ? 0 : HEADER_SIZES[0] as number;
  const magic = [...(copy === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC), ...VERSION];
  if (length >= at + magic.length) bytes.set(magic, at);
  const header = new MemorySource(bytes);
  return detached ? { header, payload: new MemorySource(bytes.subarray(length / 2)) } : { header };
}

function allFiles(value: Luks2OpenCase): CaseFile[] {
  const all = value.kind === "noise"
    ? [noiseFiles(value)]
    : value.variants.map(({ edits }) => luks2Files(value.model, edits));
  return all.flatMap((files, index) => caseFiles(files, { number: `-${index}` }));
}

function describeCase(value: Luks2OpenCase): string {
  if (value.kind === "noise") {
    const { length, pattern, copy } = value;
    return `${length} bytes of ${pattern.kind} with the magic of a ${copy} copy`;
  }
  const variants = value.variants.map(describeVariant);
  return [describeLuks2(value.model), variants.join("\nor\n")].join("\n");
}

function runLuks2Open(value: Luks2OpenCase): CaseReport {
  if (value.kind === "noise") return tryLuks2(noiseFiles(value), { key: "none", sound: false });
  const { model } = value;
  const [first, ...more] = value.variants.map(({ edits, key }): CaseReport =>
    tryLuks2(luks2Files(model, edits), { model, key, sound: opensStill(model, edits) })
  );
  return { ...first as CaseReport, more };
}

/**
 * Whether a volume has to open after edits, by what they are: those of one copy that leave its checksum
 * leave another one than it should have, or the same bytes. With another version in the primary copy,
 * cryptsetup does not look for the other one; version 0 is damage.
 */
export function opensStill(model: Luks2Model, edits: readonly Luks2Edit[]): boolean {
  return edits.every((edit) => {
    if (!isCopyEdit(edit) || edit.unsummed !== true || edit.copies === "both") return false;
    const others = edits.every((other) => isCopyEdit(other) && other.copies === edit.copies);
    const rest = model[edit.copies === "primary" ? "secondary" : "primary"];
    if (!others || rest === "garbled" || rest === "missing") return false;
    return edit.copies === "secondary" || !touchesVersion(edit);
  });
}

function touchesVersion(edit: Luks2Edit): boolean {
  if (!isCopyEdit(edit)) return true;
  if (edit.op === "number") return edit.field === "version" && edit.value !== 0n;
  return edit.op === "bits" && VERSION_AT.includes(edit.at);
}

/** The bytes of the version, behind the magic. */
const VERSION_AT: readonly number[] = [6, 7];
