import { readUpTo } from "../../src/bytes/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import { type SparseFile, sparseFile } from "./extents.ts";
import type { About, CaseFile, Target } from "./target.ts";

/** A file of a case, ready to be stored. */
export interface DossierFile extends SparseFile {
  readonly name: string;
}

/** Everything about a case for a report and for a replay, as plain data. */
export interface Dossier {
  readonly case: Json;
  /** What the case is, in a few lines. */
  readonly description: string;
  /** The bytes that matter, annotated. */
  readonly excerpt: string;
  /** A shell script that does the same with public tools, for targets that have one. */
  readonly script?: string;
  /** The passphrases of the images, without duplicates. */
  readonly passphrases: readonly string[];
  /** The image, then the files that it refers to. */
  readonly files: readonly DossierFile[];
  /** The parts that could not be made, and why. */
  readonly gaps: readonly string[];
  /** The traits of the case, for a target whose failures are grouped by cause. */
  readonly traits?: readonly string[];
}

/** Bytes of an image that are shown if the target has no excerpt. */
const EXCERPT_BYTES = 128;

/**
 * Describes a case. Something is wrong with the case, so a part that cannot be made is listed in `gaps`,
 * and the rest is complete.
 *
 * @param about what the failure is about, where it says so
 */
export function dossierOf(target: Target, value: unknown, about?: About): Dossier {
  const gaps: string[] = [];
  const take = <T>(what: string, fallback: T, make: () => T): T => {
    try {
      return make();
    } catch (error) {
      gaps.push(`Cannot ${what}: ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  };
  const { causes } = target;
  const files = take<readonly CaseFile[]>("lay out the case", [], () => target.files(value));
  try {
    return {
      case: take("store the case as JSON", null, () => target.toJson(value)),
      description: take("describe the case", "", () => target.describe(value)),
      excerpt: take(
        "show the bytes",
        "",
        () => target.excerpt?.(value, about) ?? firstBytes(files),
      ),
      passphrases: take(
        "name the passphrases",
        [],
        () => [...new Set(target.passphrases?.(value) ?? [])],
      ),
      files: take(
        "read the bytes",
        [],
        () => files.map(({ name, source }) => ({ name, ...sparseFile(source) })),
      ),
      gaps,
      ...scriptIn(take("write the script", undefined, () => target.script?.(value))),
      ...(causes === undefined
        ? {}
        : { traits: take("name the traits", [], () => causes.traits(value)) }),
    };
  } finally {
    for (const { source } of files) source.close?.();
  }
}

function scriptIn(script: string | undefined): { readonly script?: string } {
  return script === undefined ? {} : { script };
}

function firstBytes(files: readonly CaseFile[]): string {
  const [image] = files;
  if (image === undefined) return "(the case has no file)";
  const { size } = image.source;
  const rows = hexRows(readUpTo(image.source, 0, EXCERPT_BYTES));
  const more = size > EXCERPT_BYTES ? [`… ${size - EXCERPT_BYTES} more bytes`] : [];
  return [`${image.name}, ${size} bytes`, ...rows, ...more].join("\n");
}

/** Bytes as rows of sixteen: offset, hexadecimal, and what is printable of them. */
export function hexRows(bytes: Uint8Array): string[] {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = Array.from(
      row,
      (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    ).join("");
    rows.push(`${at.toString(16).padStart(8, "0")}  ${digits.padEnd(47)}  ${text}`);
  }
  return rows;
}
