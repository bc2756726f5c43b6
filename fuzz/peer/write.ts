import * as fc from "fast-check";
import { setTimeout } from "node:timers/promises";
import { SECTOR } from "../../src/bytes/mod.ts";
import type { OpenedImage } from "../../src/image/mod.ts";
import { type CaseFile, Failure, type Target } from "../engine/mod.ts";
import type { Kit } from "../formats/mod.ts";
import {
  type Action,
  actionOf,
  actionsOf,
  after,
  changeOf,
  describeAction,
  mayReject,
  requireStep,
  runSequence,
  scriptOf,
  type State,
  verify,
  verifyCrashed,
} from "../stateful/mod.ts";
import { type StatefulCase, statefulCases } from "../targets/mod.ts";
import type { PeerUnderTest } from "./under_test.ts";
import { type Changing, type ChangingCase, changingTarget, type PeerStart } from "./writable.ts";

/** A sequence of changes that an implementation makes. */
export interface WriteCase extends StatefulCase, ChangingCase {
  readonly steps: StatefulCase["steps"];
  /** The implementation is killed at this step; while it works on it, after so many milliseconds. */
  readonly kill?: { readonly step: number; readonly delay?: number };
}

/** The last step at which an implementation is killed. */
const STEPS_MAX = 15;
/** Milliseconds after which a change may still be under way. */
const DELAY_MAX = 4;
/** States since a flush before a kill. */
const LOOSE_MAX = 3;
/** Bytes of the largest disk of an image that an implementation makes. */
const CREATED_MAX = 2 ** 22;

/** Sequences of changes by an implementation; nothing if it has no `write`. */
export function peerWriteTarget(under: PeerUnderTest, name: string): Target<WriteCase> | undefined {
  const creates = under.description.changes?.includes("create") === true;
  return changingTarget(under, {
    name,
    says: "images that it changes step by step are as their models say, and keep what was flushed",
    weight: 4,
    cases: (kit) => writeCases(kit, creates),
    requireSteps: ({ steps, kill }) => {
      steps.forEach(requireStep);
      if (kill !== undefined && kill.step === undefined) throw new TypeError("No step for a kill");
    },
    describe: describeWrite,
    script: writeScript,
    run: async (value, changing) => {
      const started = value.created === undefined ? changing : await made(value.created, changing);
      await (value.kill === undefined ? runAll : runToKill)(value, started);
    },
  });
}

function writeCases(kit: Kit, creates: boolean): fc.Arbitrary<WriteCase> {
  const kills = fc.record(
    { step: fc.nat(STEPS_MAX), delay: fc.nat(DELAY_MAX) },
    { requiredKeys: ["step"] },
  );
  const kill = fc.oneof({ withCrossShrink: true }, fc.constant(undefined), kills);
  const sizes = fc.integer({ min: 1, max: CREATED_MAX / SECTOR }).map((count) => count * SECTOR);
  const none = fc.constant(undefined);
  const created = creates
    ? fc.oneof({ withCrossShrink: true }, { weight: 7, arbitrary: none }, {
      weight: 1,
      arbitrary: sizes,
    })
    : none;
  return fc.tuple(statefulCases(kit), kill, created).map(([value, kill, created]) => ({
    ...value,
    format: kit.format.name,
    ...(kill === undefined ? {} : { kill }),
    ...(created === undefined ? {} : { created }),
  }));
}

function describeWrite(
  { steps, everyStep, kill }: WriteCase,
  { start: { state } }: PeerStart,
): string[] {
  const when = kill?.delay === undefined ? "after" : `${kill.delay} ms into`;
  return [
    ...actionsOf(state, steps).map(describeAction),
    ...(everyStep ? ["compared after each step"] : []),
    ...(kill === undefined ? [] : [`killed ${when} step ${kill.step}`]),
  ];
}

function writeScript(
  { steps, kill, created }: WriteCase,
  { start, image }: PeerStart,
  command: string,
): string {
  const all = actionsOf(start.state, steps);
  const actions = kill === undefined ? all : flushed(all.slice(0, kill.step + 1));
  const mayDiffer = kill !== undefined && actions.at(-1)?.do !== "flush"
    ? "What was not flushed may differ."
    : start.state.facts.discards === "anything" && actions.some((it) => it.do === "discard")
    ? "A discarded range may have any content."
    : undefined;
  const changes = [
    ...(created === undefined ? [] : [{ operation: "create", size: created } as const]),
    ...actions.flatMap((action) => changeOf(action) ?? []),
  ];
  const adapter = { command, changes, atOnce: 1, kill, mayDiffer };
  return scriptOf({ start, image, actions, adapter });
}

/** Actions with the flushes that a run adds before a kill. */
function flushed(actions: readonly Action[]): Action[] {
  let loose = 0;
  return actions.flatMap((action, index): Action[] => {
    loose = action.do === "flush" || action.do === "reopen" ? 1 : loose + 1;
    if (loose < LOOSE_MAX || index === actions.length - 1) return [action];
    loose = 1;
    return [action, { do: "flush" }];
  });
}

/** The same with the image that the implementation has made. */
async function made(size: number, changing: Changing): Promise<Changing> {
  const { startIn, writer } = changing;
  const { start, open, leaks } = startIn;
  await writer.create(start, size);
  const files = writer.files();
  const image = open(files);
  verify(image, start.state, "peer", { leaks });
  // The rest of a last cluster that is larger than usual may have any content.
  const { facts } = start.state;
  const resizes = facts.resizes && (image.layer?.clusterSize ?? 0) <= facts.clusterSize;
  const state = { ...start.state, facts: { ...facts, resizes } };
  return { ...changing, startIn: { ...startIn, start: { ...start, files, state } } };
}

async function runAll(
  { steps, everyStep }: WriteCase,
  { startIn: { start, open, leaks }, writer, closes }: Changing,
): Promise<void> {
  // An image that is still open may have clusters that are not used yet.
  const allowed = { leaks: closes ? leaks : Infinity };
  await runSequence(start, steps, { writers: [writer], everyStep, open, allowed });
}

async function runToKill(
  { steps, kill = { step: 0 } }: WriteCase,
  { startIn: { start, open }, writer, peer }: Changing,
): Promise<void> {
  writer.load(start);
  let { state } = start;
  let since: State[] = [state];
  const actions: Action[] = [];
  for (const step of steps) {
    const action = actionOf(step, state);
    if (action === undefined) continue;
    const next = after(state, action);
    const last = actions.length === kill.step;
    actions.push(action);
    if (last && kill.delay !== undefined) {
      since.push(next);
      await Promise.all([
        writer.apply(action).catch(() => undefined),
        setTimeout(kill.delay).then(() => peer.kill?.()),
      ]);
      break;
    }
    const reason = await writer.apply(action);
    if (reason !== undefined && mayReject(state, action) === undefined) {
      throw new Failure(`peer.${action.do}.rejected`, `${describeAction(action)}: ${reason}`);
    }
    if (reason === undefined) state = next;
    since = action.do === "flush" || action.do === "reopen" ? [state] : [...since, state];
    if (last) break;
    if (since.length < LOOSE_MAX) continue;
    await writer.apply({ do: "flush" });
    since = [state];
  }
  await peer.kill?.();
  checkKilled(open, { files: writer.files(), since, actions });
}

function checkKilled(
  open: (files: readonly CaseFile[]) => OpenedImage,
  { files, since, actions }: {
    files: readonly CaseFile[];
    since: readonly State[];
    actions: readonly Action[];
  },
): void {
  const when = `killed after ${actions.map(describeAction).join(", ")}`;
  verifyCrashed(open(files), since, { when, by: "killed" });
}
