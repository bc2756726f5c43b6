import { SECTOR } from "../../src/bytes/mod.ts";
import type { Layer } from "../../src/format/mod.ts";
import { judgeImage, layersOf, type OpenedImage, readContent } from "../../src/image/mod.ts";
import { answerAt, firstDifference } from "../compare/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import { actionOf, describeAction } from "./action.ts";
import type { Action } from "./step.ts";
import { type CrashBounds, CrashLog } from "./crash_log.ts";
import { adopt, type Disk } from "./disk.ts";
import { merged } from "../generate/mod.ts";
import { ReferenceFiles, type ReferenceOptions } from "./reference.ts";
import { after, afterRejected, mayReject, type State } from "./state.ts";
import type { TurnStep } from "./step.ts";
import { CHUNK, placesToRead } from "./verify.ts";
import type { Start } from "./writer.ts";

/** Steps between flushes. */
const LOOSE_MAX = 4;

/** How a sequence is run that ends with a crash. */
export interface CrashOptions extends ReferenceOptions, CrashBounds {
  /** Opens the files of the image. */
  open(files: readonly CaseFile[]): OpenedImage;
}

/**
 * Runs steps on an image in memory, and checks what a crash may leave at any time since the last flush:
 * the image opens, `check` finds leaks at most, and each sector has its content at that flush or after a
 * later step.
 *
 * @returns the number of states that were checked
 * @throws {Failure} if one of them is not like that
 */
export function runToCrash(
  start: Start & { readonly state: State },
  steps: readonly TurnStep[],
  options: CrashOptions,
): number {
  const log = new CrashLog();
  const writer = new ReferenceFiles({ ...options, store: (file) => log.store(file) });
  writer.load(start);
  let { state } = start;
  let since: State[] = [state];
  const actions: Action[] = [];
  const apply = (action: Action): void => {
    const reason = writer.apply(action);
    if (reason !== undefined && mayReject(state, action) === undefined) {
      throw new Failure(`crash.${action.do}.rejected`, `${describeAction(action)}: ${reason}`);
    }
    state = reason === undefined ? after(state, action) : afterRejected(state, action);
    since.push(state);
    actions.push(action);
  };
  for (const step of steps) {
    const action = actionOf(step, state);
    if (action === undefined) continue;
    apply(action);
    if (actions.length >= LOOSE_MAX) apply({ do: "flush" });
    if (!["flush", "reopen"].includes(actions.at(-1)?.do ?? "")) continue;
    log.settle();
    since = [state];
    actions.length = 0;
  }
  // The writes of this flush may be lost, too.
  apply({ do: "flush" });
  let count = 0;
  for (const { says, files } of log.crashes(options)) {
    verifyCrashed(options.open(files), since, {
      when: `${actions.map(describeAction).join(", ")}: ${says}`,
    });
    count++;
  }
  log.settle();
  if (log.pending > 0) {
    throw new Failure("crash.not-flushed", `${log.pending} changes are not flushed`);
  }
  return count;
}

/**
 * Checks an image after a crash.
 *
 * @param since the states from the last flush on
 * @param by starts the signatures
 * @throws {Failure} if it does not open, or lost what was flushed
 */
export function verifyCrashed(
  image: OpenedImage,
  since: readonly State[],
  { when, by = "crash" }: { when: string; by?: string },
): void {
  const { findings, qemu } = judgeImage(image);
  const forQemu = since.every(({ facts }) => facts.forQemu);
  if (forQemu && (qemu.open !== "accept" || qemu.read !== "ok")) {
    const refusal = image.findings.refusal("read") ?? findings[0];
    throw new Failure(
      `${by}.unreadable.${refusal?.rule ?? qemu.read}`,
      `${when}: ${refusal?.message}`,
    );
  }
  const layers = layersOf(image);
  const [top] = layers;
  const corruptions = (qemu.check?.corruptions ?? 0) + (qemu.check?.["check-errors"] ?? 0);
  // With the dirty bit, refcounts may be stale: a writer rebuilds them.
  if (corruptions > 0 && top?.dirty !== true) {
    throw new Failure(`${by}.corruptions`, `${when}: check finds ${corruptions} corruptions`);
  }
  const disks = since.map(({ disk }) => disk);
  const size = top?.virtualSize ?? 0;
  // The size of a raw image is that of its file.
  if (image.format !== "raw" && !disks.some((disk) => disk.size === size)) {
    throw new Failure(`${by}.size`, `${when}: the disk has ${size} bytes`);
  }
  verifyContent(layers, disks, { what: `${by}.content`, when });
  verifySnapshots(layers, since, { when, by });
}

/** Each sector has its content in one of the disks. */
function verifyContent(
  layers: readonly Layer[],
  disks: readonly Disk[],
  { what, when }: { what: string; when: string },
): void {
  const size = Math.min(layers[0]?.virtualSize ?? 0, ...disks.map((disk) => disk.size));
  const places = merged(disks.flatMap((disk) => placesToRead(layers, disk, size)), size);
  for (const { start, end } of places) {
    for (let at = start - start % SECTOR; at < end; at += CHUNK) {
      const length = Math.min(CHUNK, size - at);
      const found = readContent(layers, at, length);
      const choices = disks.map((disk) => {
        const bytes = disk.read(at, length);
        adopt(disk, { start: at, bytes, found });
        return bytes;
      });
      verifySectors({ found, choices, at, what, when });
    }
  }
}

function verifySectors(
  { found, choices, at, what, when }: {
    found: Uint8Array;
    choices: readonly Uint8Array[];
    at: number;
    what: string;
    when: string;
  },
): void {
  if (choices.some((bytes) => firstDifference(found, bytes) < 0)) return;
  for (let from = 0; from < found.length; from += SECTOR) {
    const sector = found.subarray(from, from + SECTOR);
    const isKnown = choices.some((bytes) =>
      firstDifference(sector, bytes.subarray(from, from + SECTOR)) < 0
    );
    if (isKnown) continue;
    const place = at + from;
    throw new Failure(what, `${when}: the sector at ${place} is neither old nor new`, {
      answers: [
        answerAt("after the crash", found, { start: at, place }),
        ...choices.map((bytes, index) => answerAt(`state ${index}`, bytes, { start: at, place })),
      ],
      about: { guestOffset: place },
    });
  }
}

/** The snapshots that are there from before the first to after the last state. */
function verifySnapshots(
  layers: readonly Layer[],
  since: readonly State[],
  { when, by }: { when: string; by: string },
): void {
  const [top, ...below] = layers;
  const [first, ...later] = since;
  for (const { name, id, disk } of first?.snapshots ?? []) {
    const isKept = later.every(({ snapshots }) =>
      snapshots.some((it) => it.name === name && it.id === id)
    );
    if (!isKept) continue;
    const entry = top?.snapshots?.find((it) =>
      it.name === name && (id === undefined || it.id === id)
    );
    const layer = entry && top?.snapshot?.(entry.id);
    if (layer === undefined) throw new Failure(`${by}.snapshot-lost`, `${when}: ${name} is lost`);
    verifyContent([layer, ...below], [disk], { what: `${by}.snapshot`, when });
  }
}
