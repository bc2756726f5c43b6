import { type Layer, shownName } from "../format/mod.ts";
import { type Finding, refuses, ruleOf } from "../rules/mod.ts";
import type { OpenedImage } from "./opened_image.ts";
import { nearMisses } from "./probe.ts";
import { openRefusal } from "./refusals.ts";

/** Why an image is rejected. */
export type AdmissionReason =
  /** It is not of an admitted format, or of a format that is not read. */
  | "format"
  /** QEMU treats it as raw, although it looks like an image of a format. */
  | "ambiguous"
  /** qemu-img rejects it: its header is malformed, or it has an unknown feature. */
  | "invalid"
  /** It refers to a backing file. */
  | "backing"
  /** Its content is in an external data file. */
  | "data-file"
  /** Its content is encrypted. */
  | "encryption"
  /** It has internal snapshots, whose content is not in the disk. */
  | "snapshots"
  /** It was not closed, so that its refcounts may be stale. */
  | "dirty"
  /** It is marked as corrupt, or cannot be opened for writing. */
  | "corrupt"
  /** The disk is empty or too large. */
  | "virtual-size"
  /** The file is too large. */
  | "file-size";

/** The reasons that a caller may allow. */
export const ALLOWABLE = [
  "ambiguous",
  "backing",
  "data-file",
  "encryption",
  "snapshots",
  "dirty",
  "corrupt",
] as const satisfies readonly AdmissionReason[];

/** What a service admits. */
export interface AdmissionPolicy {
  /** Names of the admitted formats; all formats that are read by default. */
  readonly formats?: readonly string[];
  /** Reasons that do not count. */
  readonly allow?: readonly (typeof ALLOWABLE)[number][];
  /** Largest virtual size in bytes. */
  readonly virtualSizeMax: number;
  /** Largest size of the file in bytes. */
  readonly fileSizeMax?: number;
  /** Check refcounts and tables too, which takes as long as reading all tables. */
  readonly check?: boolean;
}

/** One reason, with a sentence. */
export interface Rejection {
  /** The kind of reason. */
  readonly reason: AdmissionReason;
  /** A sentence. */
  readonly message: string;
  /** The rule that is broken, if the reason is a finding. */
  readonly rule?: string;
}

/** Whether an image may be accepted from a stranger. */
export interface Admission {
  /** There is no reason against it. */
  readonly admitted: boolean;
  /** Name of the format. */
  readonly format: string;
  /** Size of the virtual disk in bytes; `null` if it is not known. */
  readonly "virtual-size": number | null;
  /** Size of the file in bytes. */
  readonly "file-size": number;
  /** All reasons against it. */
  readonly reasons: readonly Rejection[];
}

/**
 * Whether a service can accept an image that a stranger uploads. Only what an open reads is looked at:
 * the header, its extensions, and the tables of snapshots and bitmaps. No other file is opened.
 *
 * @param image opened alone, with a detected format
 */
export function admissionOf(image: OpenedImage, policy: AdmissionPolicy): Admission {
  const { layer, format, source } = image;
  const reasons = [
    ...formatReasons(image, policy),
    ...refusalReasons(image),
    ...(layer === undefined ? [] : layerReasons(layer)),
    ...sizeReasons(image, policy),
    ...(policy.check === true ? checkReasons(image) : []),
  ].filter(({ reason }) => !(policy.allow ?? []).some((allowed) => allowed === reason));
  return {
    admitted: reasons.length === 0,
    format,
    "virtual-size": layer?.virtualSize ?? null,
    "file-size": source.size,
    reasons,
  };
}

function formatReasons(image: OpenedImage, policy: AdmissionPolicy): Rejection[] {
  const { definition, format } = image;
  const { title, foreign } = definition;
  if (foreign === true) return [{ reason: "format", message: `It is a ${title} image` }];
  const formats = policy.formats;
  if (formats !== undefined && !formats.includes(format)) {
    const message = `Its format is ${format}, not ${formats.join(" or ")}`;
    return [{ reason: "format", message }];
  }
  return nearMisses(image).map(({ rule, message }) => ({ reason: "ambiguous", rule, message }));
}

/** Why qemu-img rejects the image itself, whatever the files that it refers to are. */
function refusalReasons(image: OpenedImage): Rejection[] {
  if (image.definition.foreign === true) return [];
  const refusal = openRefusal(image, "info");
  if (refusal !== undefined) return [rejection("invalid", refusal)];
  if (image.layer === undefined) {
    return [{ reason: "invalid", message: `It is not a usable ${image.format} image` }];
  }
  const locks = image.definition.keys?.locks ?? {};
  return image.findings.list()
    .filter(({ rule }) => refuses(ruleOf(rule), "write") && !Object.hasOwn(locks, rule))
    .map((finding) => rejection("corrupt", finding));
}

function checkReasons({ layer, findings }: OpenedImage): Rejection[] {
  if (layer?.check === undefined) return [];
  const counts = layer.check(findings);
  if (counts?.corruptions === 0 && counts.checkErrors === 0) return [];
  const message = counts === undefined
    ? "Its tables cannot be checked"
    : `A check counts ${counts.corruptions} corruptions and ${counts.checkErrors} errors`;
  return [{ reason: "corrupt", message }];
}

function rejection(reason: AdmissionReason, { message, rule }: Finding): Rejection {
  return { reason, message, rule };
}

function layerReasons({ backing, dataFile, encrypted, snapshots, dirty }: Layer): Rejection[] {
  const reasons: Rejection[] = [];
  if (backing !== undefined) {
    const message = `It has a backing file, '${shownName(backing.name)}'`;
    reasons.push({ reason: "backing", message });
  }
  if (dataFile !== undefined) {
    const name = dataFile.name === undefined ? "" : `, '${shownName(dataFile.name)}'`;
    reasons.push({
      reason: "data-file",
      message: `Its content is in an external data file${name}`,
    });
  }
  if (encrypted) reasons.push({ reason: "encryption", message: "It is encrypted" });
  const count = snapshots?.length ?? 0;
  if (count > 0) {
    const message = `It has ${count} internal snapshot${count === 1 ? "" : "s"}`;
    reasons.push({ reason: "snapshots", message });
  }
  if (dirty) {
    reasons.push({ reason: "dirty", message: "It was not closed: its refcounts may be stale" });
  }
  return reasons;
}

function sizeReasons(
  { layer, source }: OpenedImage,
  { virtualSizeMax, fileSizeMax = Infinity }: AdmissionPolicy,
): Rejection[] {
  const reasons: Rejection[] = [];
  const size = layer?.virtualSize;
  if (size === 0) reasons.push({ reason: "virtual-size", message: "Its disk is empty" });
  if (size !== undefined && size > virtualSizeMax) {
    const message = `Its disk has ${BigInt(size)} bytes, more than ${BigInt(virtualSizeMax)}`;
    reasons.push({ reason: "virtual-size", message });
  }
  if (source.size > fileSizeMax) {
    const message = `The file has ${source.size} bytes, more than ${fileSizeMax}`;
    reasons.push({ reason: "file-size", message });
  }
  return reasons;
}
