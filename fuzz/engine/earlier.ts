import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../src/format/mod.ts";
import { endOfArtifact } from "./artifact.ts";

/** A case of an earlier run, which a run starts with. */
export interface EarlierCase {
  /** Path of the artifact; any other name for a case that is given here. */
  readonly name: string;
  /** A case that has no artifact. */
  readonly given?: { readonly target: string; readonly case: Json };
}

/** Most artifacts of a run, since each one is read. */
const ARTIFACTS_MAX = 1000;

/** The artifacts in a directory, those of hangs last. */
export function storedIn(directory: string): EarlierCase[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => endOfArtifact(name) === "");
  return names.sort().slice(0, ARTIFACTS_MAX).map((name) => ({ name: join(directory, name) }));
}
