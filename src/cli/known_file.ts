import {
  type KnownFinding,
  KnownFindingsError,
  knownText,
  parseKnown,
  type PeerFinding,
  withNewFindings,
} from "../conformance/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** The options of known findings, for the help of a verb. */
export const KNOWN_HELP =
  `  --known FILE         findings that are known; only new ones are failures
  --write-known FILE   write the known findings, and the new ones, to FILE
  --strict-known       a known finding that was not met is a failure`;

/**
 * Reads a file of known findings.
 *
 * @throws {UsageError} when it cannot be read or is no such file
 */
export function readKnown(path: string): KnownFinding[] {
  try {
    return parseKnown(Deno.readTextFileSync(path));
  } catch (error) {
    const why = error instanceof KnownFindingsError ? error.message : whyUnreadable(error);
    throw new UsageError(`Cannot use known findings ${path}: ${why}`);
  }
}

/**
 * Writes the findings that are known and those of a run, with a reason that says what is to do.
 *
 * @throws {UsageError} when it cannot be written
 */
export function writeKnown(
  path: string,
  known: readonly KnownFinding[],
  findings: readonly PeerFinding[],
): void {
  writeReportFile(path, knownText(withNewFindings(known, findings)));
}

/**
 * Writes a text file, in place of what was there.
 *
 * @throws {UsageError} when it cannot be written
 */
export function writeReportFile(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw new UsageError(`Cannot write to ${path}: ${whyUnreadable(error)}`);
  }
}
