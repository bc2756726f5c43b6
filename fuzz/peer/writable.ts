import type { ChangeOperation, Peer } from "../../src/peers/mod.ts";
import type { CaseReport } from "../engine/mod.ts";
import { changed, type Kit } from "../formats/mod.ts";
import { factsFor, UnsupportedImage } from "../stateful/mod.ts";
import { type StartIn, startIn } from "../targets/mod.ts";

/** Larger files are not written. */
const FILE_MAX = 2 ** 22;

/** The name of the format of a kit. */
export function formatName({ format }: Kit): string {
  return format.name;
}

/** @throws {TypeError} for a case of an unknown format */
export function kitNamed(format: string): Kit {
  const kit = changed.find((it) => formatName(it) === format);
  if (kit === undefined) throw new TypeError(`Cannot use the case: unknown format ${format}`);
  return kit;
}

/** The image of a model, for an implementation with these changes. */
export function startFor(kit: Kit, model: unknown, changes: readonly ChangeOperation[]): StartIn {
  const made = startIn(kit, model);
  const { state } = made.start;
  const facts = factsFor(state.facts, changes);
  return { ...made, start: { ...made.start, state: { ...state, facts } } };
}

/** Why an image is not given to an implementation. */
export function whySkipped(
  { start: { files, state, passphrases } }: StartIn,
  opens: boolean,
): string | undefined {
  const { facts, bitmaps, snapshots } = state;
  if (files.some(({ source }) => source.size > FILE_MAX)) return "a file is too large to write";
  // A part of the backing chain may be encrypted, too.
  if (passphrases.length > 0 && !opens) return "the implementation takes no passphrases";
  // A writer may drop bitmaps, and says so with the autoclear bit.
  if (bitmaps.length > 0) return "the image has bitmaps";
  return snapshots.length > 0 && !facts.snapshots ? "the image has snapshots" : undefined;
}

/**
 * Runs a case in which an implementation changes an image. The next image has the same path: an
 * implementation that may still have this one open is ended.
 *
 * @param closes it has the operation `close`, which ends every case that passes
 */
export async function reportOf(
  peer: Peer,
  { closes }: { readonly closes: boolean },
  run: () => Promise<void>,
): Promise<CaseReport> {
  let isClosed = false;
  try {
    await run();
    isClosed = closes;
    return { depth: "accepted", rules: [] };
  } catch (error) {
    if (!(error instanceof UnsupportedImage)) throw error;
    const skipped = "the implementation does not support the image";
    return { depth: "header", rules: [], skipped };
  } finally {
    if (!isClosed) await peer.kill?.();
  }
}
