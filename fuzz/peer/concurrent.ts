import * as fc from "fast-check";
import { SECTOR } from "../../src/bytes/mod.ts";
import { layersOf, readContent } from "../../src/image/mod.ts";
import { type Change, type Overlapped } from "../../src/peers/mod.ts";
import { answerAt, wordsOf } from "../compare/mod.ts";
import { Failure, type Target } from "../engine/mod.ts";
import type { Kit } from "../formats/mod.ts";
import { merged, mostly, type Range } from "../generate/mod.ts";
import {
  type Action,
  actionOf,
  after,
  changeOf,
  contradictionIn,
  describeAction,
  type PeerFiles,
  requireStep,
  scriptOf,
  type State,
  type Step,
  type TimedRequest,
  UnsupportedImage,
  verify,
  whole,
} from "../stateful/mod.ts";
import type { PeerUnderTest } from "./under_test.ts";
import { type ChangingCase, changingTarget, type PeerStart } from "./writable.ts";

/** Requests that are sent before others are answered. */
export interface ConcurrentCase extends ChangingCase {
  /** The requests in the order in which they are sent. */
  readonly steps: readonly OverlapStep[];
  /** How many are in flight at a time, as far as the implementation accepts them. */
  readonly atOnce: number;
}

type Place = Extract<Step, { do: "discard" }>["at"];
type OverlapStep = Step | { readonly do: "read"; readonly at: Place };
type OverlapAction = Action | { readonly do: "read"; readonly range: Range };

const STEPS_MAX = 16;
const AT_ONCE_MAX = 16;
/** A case is run so many times: not every order of the requests shows what is wrong. */
const ATTEMPTS = 2;

/** Overlapping requests in flight; nothing for an implementation that does one at a time. */
export function peerConcurrentTarget(
  under: PeerUnderTest,
  name: string,
): Target<ConcurrentCase> | undefined {
  const { changes = [], concurrent = 1 } = under.description;
  if (concurrent < 2) return undefined;
  const reads = changes.includes("read");
  const few = (count: number) => Math.min(count, concurrent);
  return changingTarget(under, {
    name,
    says: "each sector is as some order of overlapping requests in flight leaves it",
    weight: 2,
    cases: (kit) => concurrentCases(kit),
    requireSteps: ({ steps }) => {
      for (const step of steps) requireStep(step.do === "read" ? { ...step, do: "discard" } : step);
    },
    describe: (value, { start }) => [
      ...actionsIn(value, start.state, reads).map(describeOverlap),
      `${few(value.atOnce)} requests in flight`,
    ],
    script: (value, { start, image }, command) => {
      const changes = actionsIn(value, start.state, reads).map(requestOf);
      const mayDiffer = "The requests may be done in any order.";
      const adapter = { command, changes, atOnce: few(value.atOnce), mayDiffer };
      return scriptOf({ start, image, actions: [], adapter });
    },
    run: async (value, { startIn, writer, peer, closes }) => {
      const actions = actionsIn(value, startIn.start.state, reads);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0 && !closes) await peer.kill?.();
        await runOverlap(actions, { startIn, writer, closes, atOnce: few(value.atOnce) });
      }
    },
  });
}

/** Requests for the same few clusters. */
function concurrentCases(kit: Kit): fc.Arbitrary<ConcurrentCase> {
  const bytes = fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.nat(15).map((count) => count * SECTOR) },
    { weight: 1, arbitrary: fc.nat(4095) },
  );
  const at: fc.Arbitrary<Place> = fc.record({
    cluster: mostly(0, fc.nat(3)),
    skip: bytes,
    clusters: mostly(0, fc.nat(2)),
    bytes,
  });
  const seed = fc.integer({ min: 1, max: 255 });
  const pattern = fc.record({ kind: fc.constantFrom("fill", "noise"), seed });
  const verb = <Name extends OverlapStep["do"]>(name: Name) => fc.constant(name);
  const step = fc.oneof(
    { withCrossShrink: true },
    { weight: 8, arbitrary: fc.record({ do: verb("write"), at, pattern }) },
    { weight: 4, arbitrary: fc.record({ do: verb("read"), at }) },
    { weight: 2, arbitrary: fc.record({ do: verb("zero"), at, unmap: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: verb("discard"), at }) },
    { weight: 1, arbitrary: fc.record({ do: verb("flush") }) },
  ) as fc.Arbitrary<OverlapStep>;
  return fc.record({
    format: fc.constant(kit.format.name),
    model: kit.models("stateful"),
    steps: fc.array(step, { minLength: 2, maxLength: STEPS_MAX, size: "max" }),
    atOnce: fc.integer({ min: 2, max: AT_ONCE_MAX }),
  });
}

function actionsIn(
  { steps }: ConcurrentCase,
  state: State,
  reads: boolean,
): readonly OverlapAction[] {
  return steps.flatMap((step): OverlapAction[] => {
    if (step.do !== "read") return [actionOf(step, state) ?? []].flat();
    const action = actionOf({ do: "discard", at: step.at }, anyDiscard(state));
    return reads && action?.do === "discard" ? [{ do: "read", range: action.range }] : [];
  });
}

/** The state of an image of which any range can be discarded. */
function anyDiscard(state: State): State {
  return { ...state, facts: { ...state.facts, discards: "anything" } };
}

function describeOverlap(action: OverlapAction): string {
  if (action.do !== "read") return describeAction(action);
  const { start, end } = action.range;
  return `read ${end - start} bytes at ${start}`;
}

function requestOf(action: OverlapAction): Change {
  if (action.do === "read") {
    const { start, end } = action.range;
    return { operation: "read", offset: start, length: end - start };
  }
  return changeOf(action) ?? { operation: "flush" };
}

interface Overlap {
  readonly startIn: PeerStart;
  readonly writer: PeerFiles;
  readonly closes: boolean;
  readonly atOnce: number;
}

/** Sends the requests, and compares the image and what was read with what some order gives. */
async function runOverlap(
  actions: readonly OverlapAction[],
  { startIn: { start, open, leaks }, writer, closes, atOnce }: Overlap,
): Promise<void> {
  writer.load(start);
  const changes = actions.map(requestOf);
  const overlapped = await writer.overlap(changes, atOnce);
  const isRejected = overlapped.every(({ outcome }) => outcome.outcome === "rejected");
  if (writer.mayReject && isRejected) throw new UnsupportedImage("It rejects the image");
  const requests = overlapped.flatMap((it, index) => {
    const action = actions[index];
    return action === undefined ? [] : timedRequest(action, changes[index], it);
  });
  await writer.settle();
  const image = open(writer.files());
  // What the requests changed is compared below, and may have any content here.
  const ranges = actions.flatMap((it) => it.do !== "read" && "range" in it ? [it.range] : []);
  const left = ranges.reduce(
    (state, range) => after(state, { do: "discard", range }),
    anyDiscard(start.state),
  );
  verify(image, left, "peer", { leaks: closes ? leaks : Infinity });
  const { disk } = start.state;
  const layers = layersOf(image);
  const clock = 2 * actions.length;
  const last = merged(requests.map(({ range }) => whole(range, SECTOR)), disk.size)
    .map(({ start: from, end }): NamedRequest => ({
      do: "read",
      range: { start: from, end },
      bytes: readContent(layers, from, end - from),
      sent: clock,
      answered: clock + 1,
      says: "the content at the end",
    }));
  requireOrder(disk, [...requests.filter((it) => it.do !== "read"), ...last], "content");
  requireOrder(disk, [...requests, ...last], "read");
}

interface NamedRequest extends TimedRequest {
  readonly says: string;
}

function timedRequest(
  action: OverlapAction,
  change: Change | undefined,
  { outcome, sent, answered }: Overlapped,
): NamedRequest[] {
  const says = describeOverlap(action);
  if (outcome.outcome !== "accepted") {
    const { message } = outcome;
    if (outcome.outcome === "unsupported") throw new UnsupportedImage(message);
    const signature = `peer.${action.do}.${outcome.outcome}.${wordsOf(message)}`;
    throw new Failure(signature, `${says}: ${message}`);
  }
  if (!("range" in action)) return [];
  const { range } = action;
  const timed = { range, sent, answered, says };
  switch (action.do) {
    case "read":
      return [{ ...timed, do: "read", bytes: outcome.value }];
    case "zero":
      return [{ ...timed, do: "write", bytes: new Uint8Array(range.end - range.start) }];
    case "write":
      return [{ ...timed, do: "write", bytes: change?.data ?? new Uint8Array() }];
    default:
      return [{ ...timed, do: "discard" }];
  }
}

function requireOrder(
  disk: State["disk"],
  requests: readonly NamedRequest[],
  what: "content" | "read",
): void {
  const found = contradictionIn((start, length) => disk.read(start, length), requests);
  if (found === undefined) return;
  const { start, end } = found.range;
  const old = disk.read(start, end - start);
  const answers = found.requests.flatMap(({ says, range, bytes }) => {
    if (bytes === undefined) return [];
    const [from, to] = [Math.max(start, range.start), Math.min(end, range.end)];
    const part = bytes.subarray(from - range.start, to - range.start);
    return [answerAt(says, part, { start: from, place: from })];
  });
  const order = found.requests.map(({ says, sent, answered }) =>
    `${says} (${sent} to ${answered})`
  );
  throw new Failure(
    `peer.concurrent.${what}`,
    `no order of these requests explains the sector at ${start}: ${order.join(", ")}`,
    {
      answers: [answerAt("before", old, { start, place: start }), ...answers],
      about: { guestOffset: start },
    },
  );
}
