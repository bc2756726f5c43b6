import * as fc from "fast-check";
import { setTimeout } from "node:timers/promises";
import type { OpenedImage } from "../../src/image/mod.ts";
import type { ChangeOperation, Peer } from "../../src/peers/mod.ts";
import { type CaseFile, type CaseReport, Failure, type Target } from "../engine/mod.ts";
import { changed, filesOf, type Kit, sourceOf } from "../formats/mod.ts";
import {
  type Action,
  actionOf,
  actionsOf,
  after,
  describeAction,
  mayReject,
  PeerFiles,
  runSequence,
  scriptOf,
  type State,
  verifyCrashed,
} from "../stateful/mod.ts";
import {
  describeSteps,
  excerptOf,
  fromPlainJson,
  type StartIn,
  type StatefulCase,
  statefulCases,
  toPlainJson,
} from "../targets/mod.ts";
import { hasFormat, type PeerUnderTest } from "./under_test.ts";
import { formatName, kitNamed, reportOf, startFor, whySkipped } from "./writable.ts";

/** A sequence of changes that an implementation makes. */
export interface WriteCase extends StatefulCase {
  /** Name of the format. */
  readonly format: string;
  /** The implementation is killed at this step; while it works on it, after so many milliseconds. */
  readonly kill?: { readonly step: number; readonly delay?: number };
}

/** The last step at which an implementation is killed. */
const STEPS_MAX = 15;
/** Milliseconds after which a change may still be under way. */
const DELAY_MAX = 4;
/** States since a flush before a kill. */
const LOOSE_MAX = 3;

/** Sequences of changes by an implementation; nothing if it has no `write`. */
export function peerWriteTarget(under: PeerUnderTest, name: string): Target<WriteCase> | undefined {
  const { changes = [], takes = [] } = under.description;
  const kits = changed.filter((kit) => hasFormat(under, formatName(kit)));
  if (!changes.includes("write") || !changes.includes("flush") || kits.length === 0) {
    return undefined;
  }
  let running: Peer | undefined;
  return {
    name,
    says: "images that it changes step by step are as their models say, and keep what was flushed",
    weight: 4,
    cases: () => fc.oneof(...kits.map((kit) => writeCases(kit))),
    toJson: toPlainJson,
    fromJson: (json) => fromPlainJson(json) as WriteCase,
    files: (value) => filesOf(kitOf(value), value.model),
    describe: (value) => describeWrite(value, changes),
    script: (value) => {
      const { start, image } = startOf(value, changes);
      const actions = actionsOf(start.state, value.steps);
      return scriptOf({ start, image, actions, adapter: adapterOf(under) });
    },
    excerpt: (value, about) => {
      const kit = kitOf(value);
      return excerptOf(kit, sourceOf(filesOf(kit, value.model)), { about, model: value.model });
    },
    run: async (value, { directory }): Promise<CaseReport> => {
      const startIn = startOf(value, changes);
      const skipped = whySkipped(startIn, takes.includes("passphrases"));
      if (skipped !== undefined) return { depth: "header", rules: [], skipped };
      running ??= under.open();
      const peer = running;
      const closes = changes.includes("close");
      const writer = new PeerFiles(peer, { directory, closes });
      return await reportOf(peer, { closes }, async () => {
        if (value.kill !== undefined) await runToKill(value, { startIn, writer, peer });
        else await runAll(value, { startIn, writer, closes });
      });
    },
    async stop() {
      const closing = running;
      running = undefined;
      await closing?.close?.();
    },
  };
}

function kitOf({ format }: WriteCase): Kit {
  return kitNamed(format);
}

function startOf(value: WriteCase, changes: readonly ChangeOperation[]): StartIn {
  return startFor(kitOf(value), value.model, changes);
}

function adapterOf({ text }: PeerUnderTest): string {
  return text.replace(/^jsonl:/, "");
}

function writeCases(kit: Kit): fc.Arbitrary<WriteCase> {
  const kills = fc.record(
    { step: fc.nat(STEPS_MAX), delay: fc.nat(DELAY_MAX) },
    { requiredKeys: ["step"] },
  );
  const kill = fc.oneof({ withCrossShrink: true }, fc.constant(undefined), kills);
  return fc.tuple(statefulCases(kit), kill).map(([value, kill]) => ({
    ...value,
    format: formatName(kit),
    ...(kill === undefined ? {} : { kill }),
  }));
}

function describeWrite(value: WriteCase, changes: readonly ChangeOperation[]): string {
  const { kill } = value;
  const { start: { state } } = startOf(value, changes);
  const when = kill?.delay === undefined ? "after" : `${kill.delay} ms into`;
  return [
    describeSteps(kitOf(value), value, state),
    ...(kill === undefined ? [] : [`killed ${when} step ${kill.step}`]),
  ].join("\n");
}

interface Running {
  readonly startIn: StartIn;
  readonly writer: PeerFiles;
}

async function runAll(
  { steps, everyStep }: WriteCase,
  { startIn: { start, open, leaks }, writer, closes }: Running & { closes: boolean },
): Promise<void> {
  // An image that is still open may have clusters that are not used yet.
  const allowed = { leaks: closes ? leaks : Infinity };
  await runSequence(start, steps, { writers: [writer], everyStep, open, allowed });
}

async function runToKill(
  { steps, kill = { step: 0 } }: WriteCase,
  { startIn: { start, open }, writer, peer }: Running & { peer: Peer },
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
