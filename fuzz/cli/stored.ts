import { print, UsageError } from "../../src/cli/mod.ts";
import {
  type EarlierCase,
  readSidecar,
  type Sidecar,
  storedIn,
  type Target,
} from "../engine/mod.ts";
import { peerTargets } from "../peer/mod.ts";
import { addedImages, recorded, targets } from "../targets/mod.ts";
import { typedFile } from "./host.ts";
import type { PeerRun } from "./peers.ts";

/** An artifact from the command line. */
export interface StoredCase {
  readonly sidecar: Sidecar;
  readonly target: Target;
  /** Path of the artifact, without `.json`. */
  readonly artifact: string;
}

/**
 * Reads an artifact, given by its name or the name of its sidecar.
 *
 * @param peers the implementations that it may be about
 * @throws {UsageError} when it cannot be used
 */
export function storedCase(file: string, peers?: PeerRun): StoredCase {
  const path = typedFile(file);
  const sidecar = readable(path);
  const known = [...targets, ...peerTargets(peers?.peers ?? [])];
  const target = known.find(({ name }) => name === sidecar.target);
  if (target === undefined && peers === undefined && sidecar.target.startsWith("peer-")) {
    throw new UsageError(`Cannot replay ${path}: name the implementation with --peer`);
  }
  if (target === undefined) {
    throw new UsageError(`Cannot replay ${path}: unknown target ${sidecar.target}`);
  }
  return { sidecar, target, artifact: path.replace(/\.json$/, "") };
}

/**
 * The cases that a run starts with: the artifacts in a directory, and the images that were added to
 * the corpus.
 */
export function casesOfEarlierRuns(directory: string, chosen: readonly Target[]): EarlierCase[] {
  const added = chosen.some(({ name }) => name === recorded.name) ? addedImages() : [];
  const promoted = added.map((name) => ({
    name,
    given: { target: recorded.name, case: { name } },
  }));
  return [...storedIn(directory), ...promoted];
}

function readable(path: string): Sidecar {
  try {
    return readSidecar(path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Prints the versions of an artifact that differ from those here. */
export function noteVersions(sidecar: Sidecar, versions: Readonly<Record<string, string>>): void {
  const others = Object.entries(sidecar.versions)
    .filter(([name, version]) => versions[name] !== version)
    .map(([name, version]) => `${name} ${version} (here ${versions[name] ?? "none"})`);
  if (others.length > 0) print(`made with ${others.join(", ")}`);
}
