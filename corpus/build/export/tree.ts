import { createHash } from "node:crypto";
import { utf8 } from "../../../src/bytes/mod.ts";
import { publishedFeatures } from "../../../src/expect/mod.ts";
import {
  type ImageRecord,
  imagesIn,
  jsonText,
  type PackedImage,
  type StoredImage,
} from "../../../src/recorded/mod.ts";
import { caseImages } from "../images.ts";
import { type CaseSet, type ExportedCase, exportedCase, pathIn } from "./case.ts";

/** A file of an export. */
export interface TreeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What the manifest says of a case. */
export interface ManifestEntry {
  readonly id: string;
  readonly set: CaseSet;
  readonly format: string;
  readonly path: string;
  /** Of the file at `path`, which has the SHA-256 of each file of the case. */
  readonly sha256: string;
}

const ROOT = new URL("../../..", import.meta.url);

/** Directories of recorded images, and where they come from. */
const SETS: Readonly<Record<string, CaseSet>> = {
  "corpus/images": "corpus",
  "golden/images": "golden",
  "corpus/matrix": "matrix",
  "corpus/matrix-cryptsetup": "matrix",
};

/** Files that are the same in every export, with their places in this repository. */
const PLAIN: Readonly<Record<string, string>> = {
  "LICENSE": "LICENSE",
  "README.md": "corpus/export/README.md",
  "flags.json": "corpus/flags.json",
  "runners/run.go": "corpus/export/run.go",
  "runners/run.py": "corpus/export/run.py",
  "schema/case.schema.json": "corpus/schema/case.schema.json",
  "schema/flags.schema.json": "corpus/schema/flags.schema.json",
  "schema/manifest.schema.json": "corpus/schema/manifest.schema.json",
};

/** The versions of the corpus, of its schema and of its rules of interpretation. */
export function versions(): { corpus: string; schema: string; interpretation: string } {
  return JSON.parse(Deno.readTextFileSync(new URL("corpus/versions.json", ROOT)));
}

/** Every recorded image of this repository, in the order of the names, and the set that it is in. */
export function recordedCases(): (StoredImage & { readonly set: CaseSet })[] {
  return Object.entries(SETS).flatMap(([directory, set]) =>
    imagesIn(new URL(directory, ROOT).pathname).map((image) => ({ ...image, set }))
  ).sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Every file of an export: those of the cases, in the order of their ids, and the others.
 *
 * @param onCase called for each case
 */
export function* exportedFiles(
  isChosen: (record: ImageRecord) => boolean,
  onCase: (id: string) => void,
): Generator<TreeFile> {
  const cases: ManifestEntry[] = [];
  const sources = new Map(caseImages().map((image) => [image.name, image]));
  for (const { load, set } of recordedCases()) {
    const image = load();
    if (!isChosen(image.record)) continue;
    onCase(image.record.name);
    const { name } = image.record;
    cases.push(yield* filesOf(image, exportedCase(image.record, set, sources.get(name))));
  }
  for (const [path, source] of Object.entries(PLAIN)) {
    yield { path, bytes: Deno.readFileSync(new URL(source, ROOT)) };
  }
  const manifest = { ...versions(), features: publishedFeatures, cases };
  yield { path: "manifest.json", bytes: utf8(jsonText(manifest)) };
}

function* filesOf(
  { files }: PackedImage,
  exported: ExportedCase,
): Generator<TreeFile, ManifestEntry> {
  const { id, set, format } = exported;
  const text = utf8(jsonText(exported));
  const path = pathIn(id, "case.json");
  yield { path, bytes: text };
  for (const [index, bytes] of files().entries()) {
    yield { path: exported.files[index]?.path ?? "", bytes };
  }
  return { id, set, format, path, sha256: sha256(text) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
