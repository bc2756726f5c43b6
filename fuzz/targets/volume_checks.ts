import { AccessError } from "../../src/format/mod.ts";
import { judgeImage, layersOf, type OpenedImage, readContent } from "../../src/image/mod.ts";
import { type RuleId, ruleOf } from "../../src/rules/mod.ts";
import { Failure } from "../engine/target.ts";
import { firstDifference } from "./content.ts";
import type { KeyChoice } from "./volume_files.ts";

/** What is held against each other of LUKS volumes of either version. */

/** Bytes of content that are read of what may be no volume any more. */
const READ_MAX = 4096;

/** What the format of a volume is, as far as signatures and rules name it. */
export interface AccessOptions {
  readonly format: "luks" | "luks2";
  readonly key: KeyChoice;
  /** Rules for which the content is not read although the format allows it. */
  readonly notRead: RegExp;
}

/**
 * What is refused has no content, and what is not refused has.
 *
 * @throws {Failure} where it is otherwise
 */
export function assertAccess(image: OpenedImage, { format, key, notRead }: AccessOptions): void {
  const { layer, findings } = image;
  const unlocked = layer?.unlocked === true;
  const refused = findings.refusal("read", "spec") ?? findings.refusal("info", "spec");
  if (unlocked && (key !== "right" || refused !== undefined)) {
    const why = `Unlocked with ${key} key, in spite of ${refused?.rule}`;
    throw new Failure(`${format}.unlocked`, why);
  }
  const works = findings.refusal("read") === undefined &&
    findings.rules().every((rule) => !notRead.test(rule));
  if (works && !unlocked) throw new Failure(`${format}.locked`, "Locked, and nothing refuses it");
  if (layer === undefined || layer.virtualSize === 0) return;
  try {
    readContent(layersOf(image), 0n, Math.min(READ_MAX, layer.virtualSize));
  } catch (error) {
    if (error instanceof AccessError && !unlocked) return;
    throw error;
  }
  if (!unlocked) {
    throw new Failure(`${format}.content`, "There is content, and nothing unlocked it");
  }
}

/**
 * A volume is open, and its content begins with these bytes.
 *
 * @throws {Failure} where it is otherwise
 */
export function assertContent(
  image: OpenedImage,
  expected: Uint8Array,
  { format }: Pick<AccessOptions, "format">,
): void {
  if (image.layer?.unlocked !== true) {
    throw new Failure(`${format}.locked`, JSON.stringify(image.findings.list()));
  }
  const layers = layersOf(image);
  assertSame(readContent(layers, 0n, expected.length), expected);
  // What is read from somewhere else on has to know which sectors those are.
  const from = Math.floor(expected.length * TAIL);
  assertSame(readContent(layers, BigInt(from), expected.length - from), expected.subarray(from));
}

const TAIL = 0.7;

/** @throws {Failure} where the two differ */
export function assertSame(content: Uint8Array, expected: Uint8Array): void {
  const differs = firstDifference(content, expected);
  if (differs < 0) return;
  throw new Failure("content.bytes", `Another byte than in the model at ${differs}`);
}

/**
 * The rules that a volume breaks, of which none is one of the format that has to be kept.
 *
 * @param besides rules that may be broken
 * @throws {Failure} where another one is
 */
export function assertUnbroken(
  image: OpenedImage,
  besides: readonly RuleId[] = [],
): readonly RuleId[] {
  const { findings } = judgeImage(image);
  const broken = findings.find(({ rule }) => {
    const { class: ruleClass, level } = ruleOf(rule);
    return ruleClass === "spec" && level === "must" && !besides.includes(rule);
  });
  if (broken !== undefined) {
    throw new Failure(`roundtrip.${broken.rule}`, `${broken.path}: ${broken.message}`);
  }
  return findings.map(({ rule }) => rule);
}
