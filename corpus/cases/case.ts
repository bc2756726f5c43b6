/** Defines a case: an image that breaks a rule, and the nearest one that keeps it. */

import type { Json } from "../../src/format/mod.ts";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import type { Luks2Model } from "../../src/luks2/mod.ts";
import type { Qcow1Model } from "../../src/qcow1/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import type { RawModel } from "../../src/raw/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import { type CaseEdit, json, set, text } from "./edit.ts";

/** The input for building an image. */
export type Model = Qcow2Model | Qcow1Model | Luks1Model | Luks2Model | RawModel;

/** An image before its edits, and how it is opened. */
export interface Start {
  readonly base: Model;
  /** If absent, the passphrase of the model's first key; if empty, none. */
  readonly passphrases?: readonly string[];
  /** The limit on the work of opening, as an option of the caller. */
  readonly budget?: number;
}

/** What is said about a case besides its images. */
export interface About {
  /** The names that it had before, which are never given to another case. */
  readonly aliases?: readonly string[];
  /** The kinds of bugs that it finds: names in `corpus/flags.json`. For a pair, of the broken image. */
  readonly flags?: readonly string[];
  /** What happened to an implementation, in one sentence: for the reconstruction of a known defect. */
  readonly happened?: string;
}

/** Two images that differ in one rule. */
export interface Case extends Start, About {
  readonly rule: RuleId;
  /** The start of the names of both images, which says the condition; from the rule where absent. */
  readonly id?: string;
  /** The difference in one sentence; If absent, `showsOf` derives it from the edits. */
  readonly shows?: string;
  readonly breaks: readonly CaseEdit[];
  readonly keeps: readonly CaseEdit[];
  /**
   * The input for the image that keeps the rule, if it differs from that of the one that breaks it.
   */
  readonly kept?: Partial<Start>;
  /** The format is probed, and only that is compared with qemu. */
  readonly probed?: true;
  /** The other rules that the image that keeps this one breaks; all of them, for qcow2. */
  readonly leaves?: readonly RuleId[];
  /** Files beside both images. */
  readonly files?: Files;
  readonly live?: Live;
}

/** Questions to the installed qemu in addition to those about every image. */
export interface Live {
  /** A write by qemu-io that fails and marks the image as corrupt if the rule is broken. */
  readonly writes?: string;
  /** An option of the qcow2 driver that the write needs. */
  readonly overlapCheck?: "all";
  /** `info` crashes on the broken image before qemu 10, and rejects it since then. */
  readonly infoCrashes?: true;
  /** The opening at which qemu warns about the broken image, and the warning. */
  readonly warns?: { readonly at: "info" | "content"; readonly says: RegExp };
  /** The questions that are left out for both images, or for the one that keeps the rule. */
  readonly not?: {
    readonly questions: readonly Question[];
    readonly of?: "kept";
    readonly because: string;
  };
}

/** A question about an image. */
export type Question = "info" | "read" | "check" | "content" | "write";

/**
 * An image that belongs to no pair: of a known defect or a combination of features, or a valid one on
 * which a tool crashes.
 */
export interface SingleImage extends Start, About {
  readonly name: string;
  /** The rule that it is about, where there is one. It keeps the rule if `does` is absent. */
  readonly rule?: RuleId;
  readonly does?: "breaks" | "keeps";
  readonly shows: string;
  readonly edits: readonly CaseEdit[];
  /** Files beside the image. */
  readonly files?: Files;
  /** The format that it is opened as, if that is not the one of its model. */
  readonly as?: FormatName;
  /** Commands of other tools, run beside the file `image`, which may crash. */
  readonly crashes?: readonly (readonly string[])[];
}

/** Files beside an image, by their names. */
export interface Files {
  readonly [name: string]: Model;
}

/** A case without its rule and without the default parts. */
export type Parts = Partial<Omit<Case, "rule">>;

/** A value of a field: a number or a text of a structure, or a value of the JSON. */
export type Value = bigint | Json | undefined;

/** Makes cases that start from the same model. */
export interface CaseMaker {
  /** A case in which the image that keeps the rule has no edits except those in `parts`. */
  pair(rule: RuleId, parts: Parts): Case;
  /** A case of two values of one field; see {@link valueAt}. */
  field(rule: RuleId, path: string, values: Parts & { bad: Value; good: Value }): Case;
}

/** See {@link CaseMaker}. */
export function casesOf(base: Model): CaseMaker {
  const pair = (rule: RuleId, parts: Parts): Case => ({
    rule,
    base,
    breaks: [],
    keeps: [],
    ...parts,
  });
  return {
    pair,
    field: (rule, path, { bad, good, ...parts }) =>
      pair(rule, { ...parts, breaks: [valueAt(path, bad)], keeps: [valueAt(path, good)] }),
  };
}

/**
 * Gives a field a value: `/json/config/flags` is a path in the JSON of LUKS2, where `undefined`
 * removes the value; every other path is a field of a structure.
 */
export function valueAt(path: string, value: Value): CaseEdit {
  if (path.startsWith("/json/")) return json(path.slice("/json".length), value as Json | undefined);
  return typeof value === "string" ? text(path, value) : set(path, value as bigint | number);
}
