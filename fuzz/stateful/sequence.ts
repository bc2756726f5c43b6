import type { OpenedImage } from "../../src/image/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import { actionOf, describeAction } from "./action.ts";
import type { Action } from "./step.ts";
import type { KnownFailure, Past } from "./known.ts";
import { after, afterRejected, mayReject, type State } from "./state.ts";
import type { TurnStep } from "./step.ts";
import { UnsupportedImage } from "./peer.ts";
import { type Allowance, verify } from "./verify.ts";
import type { Start, Writer } from "./writer.ts";

/** How a sequence is run. */
export interface SequenceOptions {
  /** Each does all steps on files of its own; with `turns`, they do the steps in turns on one image. */
  readonly writers: readonly Writer[];
  readonly turns?: boolean;
  /** Compare after each step, and not only after the last one. */
  readonly everyStep: boolean;
  /** Opens the files of a writer. */
  open(files: readonly CaseFile[]): OpenedImage;
  readonly allowed: Allowance;
  /** Whether a passphrase opens a key slot of the files. */
  unlocks?(files: readonly CaseFile[], passphrase: string): boolean;
  /** Failures that are understood: the sequence ends there. */
  readonly known?: readonly KnownFailure[];
}

/** The result of a sequence. */
export interface SequenceReport {
  /** Number of actions that were done. */
  readonly done: number;
  /** Number of actions that were rejected, as they may be. */
  readonly rejected: number;
  /** The understood failure that ended the sequence. */
  readonly known?: string;
}

/** A sequence that is under way. */
interface Progress {
  state: State;
  readonly actions: Past[];
}

/**
 * Runs steps on an image, and compares the image with what is expected of it.
 *
 * @throws {Failure} if something differs
 */
export async function runSequence(
  start: Start & { readonly state: State },
  steps: readonly TurnStep[],
  options: SequenceOptions,
): Promise<SequenceReport> {
  const progress: Progress = { state: start.state, actions: [] };
  let known: KnownFailure | undefined;
  try {
    await run(start, steps, { ...options, progress });
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    known = knownOf(failure, progress, options);
    if (known === undefined) throw failure;
  }
  const rejected = progress.actions.filter((it) => it.rejected).length;
  const done = progress.actions.length - rejected;
  return { done, rejected, ...(known === undefined ? {} : { known: known.name }) };
}

/** What one writer made of an image that is changed in turns, another one may have to read. */
function knownOf(
  failure: Failure,
  progress: Progress,
  { known = [], turns = false }: SequenceOptions,
): KnownFailure | undefined {
  const [by, ...rest] = failure.signature.split(".");
  const what = rest.join(".");
  if (by !== "qemu" && !turns && !what.endsWith(".rejected-alone")) return undefined;
  return known.find(({ explains }) => explains({ failure, what, ...progress }));
}

async function run(
  start: Start,
  steps: readonly TurnStep[],
  options: SequenceOptions & { readonly progress: Progress },
): Promise<void> {
  const { writers, turns = false, everyStep, progress } = options;
  let active = turns ? writers.slice(0, 1) : writers;
  let isCompared = false;
  for (const writer of active) writer.load(start);
  for (const step of steps) {
    const { state } = progress;
    const action = actionOf(step, state);
    if (action === undefined) continue;
    const next = turns ? writers[(step.by ?? 0) % writers.length] : undefined;
    if (next !== undefined && next !== active[0]) {
      await handOver(start, active[0], next);
      active = [next];
    }
    const reasons: (string | undefined)[] = [];
    try {
      for (const writer of active) reasons.push(await writer.apply(action));
    } catch (error) {
      // What was done before is compared, and the image closed.
      isCompared = false;
      if (error instanceof UnsupportedImage && progress.actions.length > 0) break;
      throw error;
    }
    const rejected = !isDone(state, action, { writers: active, reasons });
    progress.actions.push({ action, rejected, by: active.map(({ name }) => name), before: state });
    progress.state = rejected ? afterRejected(state, action) : after(state, action);
    if (everyStep) await compareAll(active, progress.state, options);
    isCompared = everyStep;
  }
  if (!isCompared) await compareAll(active, progress.state, options);
}

async function handOver(start: Start, from: Writer | undefined, to: Writer): Promise<void> {
  await from?.settle();
  to.load({ ...start, files: from?.files() ?? start.files });
}

/** Whether all did an action; none did if not. */
function isDone(
  state: State,
  action: Action,
  { writers, reasons }: {
    writers: readonly Writer[];
    reasons: readonly (string | undefined)[];
  },
): boolean {
  const why = reasons.find((reason) => reason !== undefined);
  if (why === undefined) return true;
  const names = writers.filter((_, index) => reasons[index] !== undefined).map(({ name }) => name);
  if (reasons.includes(undefined)) {
    throw new Failure(
      `${names.join("-")}.${action.do}.rejected-alone`,
      `${describeAction(action)}: only ${names.join(", ")} rejects it: ${why}`,
    );
  }
  if (mayReject(state, action) !== undefined) return false;
  throw new Failure(
    `${names[0]}.${action.do}.rejected`,
    `${describeAction(action)} is rejected: ${why}`,
  );
}

async function compareAll(
  writers: readonly Writer[],
  state: State,
  { open, allowed, unlocks, turns = false }: SequenceOptions,
): Promise<void> {
  for (const writer of writers) {
    await writer.settle();
    const files = writer.files();
    const plainZeros = turns || writer.name === "qemu";
    verify(open(files), state, writer.name, { ...allowed, plainZeros });
    const lost = state.keys.find((key) => unlocks?.(files, key) === false);
    const left = state.erased.find((key) => unlocks?.(files, key) === true);
    const by = writer.name;
    if (lost !== undefined) throw new Failure(`${by}.keys.lost`, `${lost} opens no key slot`);
    if (left !== undefined) throw new Failure(`${by}.keys.left`, `${left} still opens a key slot`);
  }
}

/** The actions of steps that none rejects, for a person and for a script. */
export function actionsOf(start: State, steps: readonly TurnStep[]): (Action & { by?: number })[] {
  const actions: (Action & { by?: number })[] = [];
  let state = start;
  for (const step of steps) {
    const action = actionOf(step, state);
    if (action === undefined) continue;
    actions.push({ ...action, ...(step.by === undefined ? {} : { by: step.by }) });
    const reason = mayReject(state, action);
    if (reason === undefined || action.do === "compressed") state = after(state, action);
  }
  return actions;
}
