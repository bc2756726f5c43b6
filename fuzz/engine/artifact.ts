import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Json } from "../../src/format/mod.ts";
import type { Dossier, DossierFile } from "./dossier.ts";
import { fingerprint } from "./extents.ts";
import type { Fault, FaultKind } from "./fault.ts";
import type { Found } from "./protocol.ts";
import { pathText } from "./random.ts";
import { type FailureDetails, HarnessError } from "./target.ts";
import { PART, writeWhole } from "./whole_file.ts";

/** Versions of the software that a failure may depend on, by name. */
export type Versions = Readonly<Record<string, string>>;

/** A file of the case, as it is stored in the sidecar. */
export interface StoredFile {
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 of the size and the extents. */
  readonly fingerprint: string;
  /** The file beside the sidecar with the bytes. Without it they are in `extents`. */
  readonly storedAs?: string;
  /** The parts that are not zero: gzip in base64. */
  readonly extents?: readonly { readonly offset: number; readonly gzip: string }[];
  /** The file has more content than is stored here. */
  readonly cut?: true;
}

/** The JSON beside an artifact: everything for a replay, and a summary for a person. */
export interface Sidecar extends Omit<FailureDetails, "kind"> {
  readonly artifact: typeof SIDECAR_FORMAT;
  readonly target: string;
  readonly kind: FaultKind;
  readonly signature: string;
  readonly message: string;
  readonly stack: readonly string[];
  readonly seed: number;
  /** Index of the case under the seed, and the ordinals of the shrunk candidates: `45:0:1`. */
  readonly path: string;
  readonly shrink?: { readonly tried: number; readonly complete: boolean };
  /** Whether the case failed again in a second run; absent if there was none. */
  readonly repeats?: boolean;
  /** Time limit of the case in milliseconds. */
  readonly timeout: number;
  readonly description: string;
  readonly excerpt: string;
  /** Passphrases of the files, which a generator made up; absent if nothing is encrypted. */
  readonly passphrases?: readonly string[];
  /** Absent if the case could not be generated again after its worker was lost. */
  readonly case?: Json;
  readonly files: readonly StoredFile[];
  readonly gaps: readonly string[];
  readonly versions: Versions;
}

/** Version of the format of sidecars. It changes only when the meaning of a member does. */
export const SIDECAR_FORMAT = "diskproof-artifact-1";

/** Larger images are stored as extents alone: a sparse terabyte cannot be uploaded. */
const WRITTEN_MAX = 2 ** 30;

/** The content of an artifact. */
export interface ArtifactContent {
  readonly target: string;
  readonly seed: number;
  readonly found: Found;
  readonly timeout: number;
  readonly versions: Versions;
}

/**
 * Writes a failure to a directory: the image as `crash-<sha1>` (or `timeout-`, `oom-`), its sidecar,
 * and the script of the case if there is one. The name follows from target, signature and case, so
 * that the same failure has the same name in every run.
 *
 * @returns the path of the artifact
 * @throws {Error} when the directory cannot be written to
 */
export function writeArtifact(directory: string, content: ArtifactContent): string {
  const { found: { dossier, fault, index, path, shrink, repeats, cause } } = content;
  const place = pathText(index, path);
  const name = artifactName(fault, [
    content.target,
    fault.signature,
    dossier === undefined ? `${content.seed} ${place}` : JSON.stringify(dossier.case),
  ]);
  mkdirSync(directory, { recursive: true });
  const artifact = join(directory, name);
  const [image] = dossier?.files ?? [];
  const sidecar: Sidecar = {
    artifact: SIDECAR_FORMAT,
    target: content.target,
    ...fault,
    ...(cause === undefined ? {} : { cause }),
    seed: content.seed,
    path: place,
    ...(shrink === undefined ? {} : { shrink }),
    ...(repeats === undefined ? {} : { repeats }),
    timeout: content.timeout,
    ...describedIn(dossier),
    files: (dossier?.files ?? []).map((file) =>
      storedFile(file, file === image ? name : undefined)
    ),
    versions: content.versions,
  };
  writeWhole(artifact, (path) => writeImage(path, image));
  const { script } = dossier ?? {};
  if (script !== undefined) writeWhole(`${artifact}.sh`, (path) => writeFileSync(path, script));
  writeWhole(`${artifact}.json`, (path) => {
    writeFileSync(path, `${JSON.stringify(sidecar, null, 2)}\n`);
  });
  return artifact;
}

/** Leftovers of killed runs are older than this, in milliseconds; newer files may belong to a running one. */
const PART_AGE = 600_000;

/**
 * The end of a file's name, if it is a file of an artifact: nothing for the image, `.json` for the sidecar.
 *
 * @returns `undefined` for other files
 */
export function endOfArtifact(name: string): string | undefined {
  return /^(?:crash|timeout|oom)-[0-9a-f]{40}(.*)$/.exec(name)?.[1];
}

/**
 * Makes sure that files can be written to a directory, and removes files that killed runs left
 * partly written there. The directory itself is made with the first file.
 *
 * @throws {HarnessError} when they cannot
 */
export function requireArtifacts(directory: string): void {
  let existing = resolve(directory);
  while (!existsSync(existing)) existing = dirname(existing);
  if (!statSync(existing).isDirectory()) {
    throw new HarnessError(`Cannot write to ${directory}: ${existing} is not a folder`);
  }
  try {
    rmSync(mkdtempSync(join(existing, ".diskproof-")), { recursive: true });
    if (existing === resolve(directory)) removeParts(existing);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(`Cannot write to ${directory}: ${reason}`, { cause });
  }
}

function removeParts(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (endOfArtifact(name)?.endsWith(PART) !== true) continue;
    const path = join(directory, name);
    if (Date.now() - statSync(path).mtimeMs > PART_AGE) rmSync(path, { force: true });
  }
}

function describedIn(dossier: Dossier | undefined): Pick<
  Sidecar,
  "case" | "description" | "excerpt" | "gaps" | "passphrases"
> {
  if (dossier === undefined) {
    const gaps = ["Cannot generate the case again: the generator hangs"];
    return { description: "", excerpt: "", gaps };
  }
  const { description, excerpt, gaps, passphrases } = dossier;
  return {
    description,
    excerpt,
    gaps,
    case: dossier.case,
    ...(passphrases.length === 0 ? {} : { passphrases }),
  };
}

function artifactName(fault: Fault, identity: readonly string[]): string {
  const { kind } = fault;
  const prefix = kind === "timeout" || kind === "oom" ? kind : "crash";
  return `${prefix}-${createHash("sha1").update(identity.join("\0")).digest("hex")}`;
}

function writeImage(path: string, image: DossierFile | undefined): void {
  const file = openSync(path, "w");
  try {
    if (image === undefined) return;
    ftruncateSync(file, Math.min(image.size, WRITTEN_MAX));
    for (const { offset, bytes } of image.extents) {
      if (offset + bytes.length > WRITTEN_MAX) break;
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, bytes.length - at, offset + at);
      }
    }
  } finally {
    closeSync(file);
  }
}

function storedFile(file: DossierFile, storedAs: string | undefined): StoredFile {
  const { name, size } = file;
  const cut = file.cut ? { cut: true as const } : {};
  const facts = { name, size, fingerprint: fingerprint(file), ...cut };
  if (storedAs !== undefined && size <= WRITTEN_MAX) return { ...facts, storedAs };
  const extents = file.extents.map(({ offset, bytes }) => ({
    offset,
    gzip: Buffer.from(gzipSync(bytes)).toString("base64"),
  }));
  return { ...facts, extents };
}

/**
 * Reads the sidecar of an artifact.
 *
 * @param path of the artifact or of the sidecar itself
 * @throws {Error} with a sentence for a person, when there is none or it cannot be used
 */
export function readSidecar(path: string): Sidecar {
  const sidecar = path.endsWith(".json") ? path : `${path}.json`;
  const refuse = (reason: string) => new Error(`Cannot replay ${path}: ${reason}`);
  if (!existsSync(path)) throw refuse("there is no such file");
  if (!existsSync(sidecar)) {
    throw refuse(`its sidecar ${basename(sidecar)} is missing`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(sidecar, "utf8"));
  } catch {
    throw refuse(`${basename(sidecar)} is not JSON`);
  }
  if (!isSidecar(parsed)) throw refuse(`${basename(sidecar)} is not the sidecar of an artifact`);
  return parsed;
}

function isSidecar(value: unknown): value is Sidecar {
  if (typeof value !== "object" || value === null) return false;
  const known = value as Partial<Record<keyof Sidecar, unknown>>;
  const texts = ["target", "kind", "signature", "path"] as const;
  return known.artifact === SIDECAR_FORMAT && Array.isArray(known.files) &&
    texts.every((name) => typeof known[name] === "string") &&
    typeof known.seed === "number" && typeof known.timeout === "number" &&
    typeof known.versions === "object" && known.versions !== null;
}
