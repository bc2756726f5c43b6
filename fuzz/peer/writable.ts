import type * as fc from "fast-check";
import { oneof } from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { expectationOf, featuresOf, isListedFeature } from "../../src/expect/mod.ts";
import type { OpenedImage } from "../../src/image/mod.ts";
import type { ChangeOperation, Peer } from "../../src/peers/mod.ts";
import { type CaseReport, Failure, type Target } from "../engine/mod.ts";
import {
  changed,
  describeModel,
  filesOf,
  formatIn,
  type Kit,
  openWith,
  passphrasesOf,
  repaired,
  sourceOf,
} from "../formats/mod.ts";
import { emptyState, factsFor, PeerFiles, type Step, UnsupportedImage } from "../stateful/mod.ts";
import { excerptOf, fromPlainJson, type StartIn, startIn, toPlainJson } from "../targets/mod.ts";
import { changeFailure } from "./change_failure.ts";
import { isUsualTrait, modelTraits, slugOf } from "./traits.ts";
import { hasFormat, opensInChain, type PeerUnderTest } from "./under_test.ts";

/** Larger files are not written. */
const FILE_MAX = 2 ** 22;

/** A case in which an implementation changes an image. */
export interface ChangingCase {
  /** Name of the format. */
  readonly format: string;
  /** The model that the image is built from. */
  readonly model: unknown;
  readonly steps: readonly { readonly do: Step["do"] | "read" }[];
  /** The implementation makes the image, with a disk of so many bytes. */
  readonly created?: number;
  /** It is killed. */
  readonly kill?: unknown;
}

/** The image at the start; there is none yet if the implementation makes it. */
export type PeerStart = Omit<StartIn, "image"> & { readonly image?: OpenedImage };

/** An implementation that changes an image. */
export interface Changing {
  readonly startIn: PeerStart;
  readonly writer: PeerFiles;
  readonly peer: Peer;
  /** It has the operation `close`, which ends every case that passes. */
  readonly closes: boolean;
}

/** What is particular to a target in which an implementation changes images. */
export interface ChangingProperty<Case extends ChangingCase> {
  readonly name: string;
  readonly says: string;
  readonly weight: number;
  cases(kit: Kit): fc.Arbitrary<Case>;
  /** @throws {TypeError} when a step is none */
  requireSteps(value: Case): void;
  /** The changes, a line each. */
  describe(value: Case, start: PeerStart): readonly string[];
  /** A shell script of a case, for an adapter that a command starts. */
  script(value: Case, start: PeerStart, command: string): string;
  run(value: Case, changing: Changing): Promise<void>;
}

/** A target in which an implementation changes images; nothing if it changes none. */
export function changingTarget<Case extends ChangingCase>(
  under: PeerUnderTest,
  property: ChangingProperty<Case>,
): Target<Case> | undefined {
  const { changes = [], features: listed } = under.description;
  const { name, says, weight } = property;
  const kits = changed.filter((kit) => hasFormat(under, kit.format.name));
  const writes = changes.includes("write") && changes.includes("flush");
  if (!writes || kits.length === 0) return undefined;
  const closes = changes.includes("close");
  let running: Peer | undefined;
  return {
    name,
    says,
    weight,
    cases: () => oneof(...kits.map((kit) => property.cases(kit))),
    toJson: toPlainJson,
    fromJson: (json) => fromPlainJson(json) as Case,
    repair: (value) => {
      property.requireSteps(value);
      const kit = kitNamed(value.format);
      const whole = repaired(kit, value);
      if (formatIn(kit, whole.model) === kit.format) return whole;
      throw new TypeError("Cannot use the model: it has another format");
    },
    files: (value) => filesIn(value),
    describe: (value) => {
      const made = value.created === undefined
        ? describeModel(kitNamed(value.format), value.model)
        : `${value.format}, made by ${under.description.name} with ${value.created} bytes`;
      return [made, ...property.describe(value, startFor(value, changes, true))].join("\n");
    },
    script: (value) => {
      const command = under.text.replace(/^jsonl:/, "");
      return property.script(value, startFor(value, changes, true), command);
    },
    excerpt: (value, about) => {
      if (value.created !== undefined) return "";
      const kit = kitNamed(value.format);
      return excerptOf(kit, sourceOf(filesIn(value)), { about, model: value.model });
    },
    passphrases: ({ format, model }) => passphrasesOf(kitNamed(format), model, "right"),
    causes: {
      group: under.text,
      traits: traitsOf,
      isUsual: (trait) => USUAL.includes(trait) || isUsualTrait(trait),
    },
    run: async (value, { directory }): Promise<CaseReport> => {
      const startIn = startFor(value, changes);
      const skipped = whySkipped(startIn, under);
      if (skipped !== undefined) return { depth: "header", rules: [], skipped };
      const { image, start: { passphrases } } = startIn;
      const features = image === undefined ? [] : featuresOf(image);
      const lacks = listed !== undefined && features.some((it) => !isListedFeature(it, listed));
      const mayReject = lacks || image !== undefined &&
          expectationOf(image)({ use: "digest" }).verdict !== "must-accept";
      const peer = running ??= under.open();
      const writer = new PeerFiles(peer, { directory, closes, mayReject });
      return await reportOf({ startIn, writer, peer, closes }, async (changing) => {
        try {
          await property.run(value, changing);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          throw changeFailure(error, under, { features, passphrases });
        }
      });
    },
    async stop() {
      const closing = running;
      running = undefined;
      await closing?.close?.();
    },
  };
}

/** @throws {TypeError} for a case of an unknown format */
function kitNamed(format: string): Kit {
  const kit = changed.find((it) => it.format.name === format);
  if (kit === undefined) throw new TypeError(`Cannot use the case: unknown format ${format}`);
  return kit;
}

function filesIn({ format, model, created }: ChangingCase) {
  return created === undefined ? filesOf(kitNamed(format), model) : [];
}

/** The image of a case, for an implementation with these changes. */
function startFor(
  { format, model, created }: ChangingCase,
  changes: readonly ChangeOperation[],
  locked = false,
): PeerStart {
  const kit = kitNamed(format);
  const made = created === undefined ? startIn(kit, model, locked) : emptyStart(kit, created);
  const { state } = made.start;
  const facts = factsFor(state.facts, changes);
  return { ...made, start: { ...made.start, state: { ...state, facts } } };
}

/** An image that is not made yet. */
function emptyStart(kit: Kit, size: number): PeerStart {
  const { name: format } = kit.format;
  const files = [{ name: `image.${format}`, source: new MemorySource(new Uint8Array()) }];
  const start = { files, format, passphrases: [], state: emptyState(format, size) };
  return { start, leaks: 0, options: {}, open: (files) => openWith(kit, files) };
}

/** Names of steps that most cases have. */
const USUAL: readonly string[] = ["step.write", "step.flush", "step.reopen", "raw"];

/** Features of the image, what else is special about its model, and the kinds of steps. */
function traitsOf(value: ChangingCase): string[] {
  const { format, model, created, steps, kill } = value;
  const image = created === undefined
    ? [
      ...featuresOf(openWith(kitNamed(format), filesIn(value))),
      ...modelTraits("chain", Array.isArray(model) ? model : [model]),
    ]
    : ["created"];
  const killed = kill === undefined ? [] : ["killed"];
  const all = [...image, ...steps.map((step) => `step.${step.do}`), ...killed];
  return [...new Set(all.map(slugOf))];
}

/** Why an image is not given to an implementation. */
function whySkipped(
  { image, start: { files, state, passphrases } }: PeerStart,
  under: PeerUnderTest,
): string | undefined {
  const { facts, bitmaps, snapshots } = state;
  const opens = under.description.takes?.includes("passphrases") === true;
  if (files.some(({ source }) => source.size > FILE_MAX)) return "a file is too large to write";
  // A part of the backing chain may be encrypted, too.
  if (passphrases.length > 0 && !opens) return "the implementation takes no passphrases";
  for (let below = image?.backing; below !== undefined; below = below.backing) {
    // It is raw to the implementation.
    if (!opensInChain(under, below.format)) {
      return "the implementation does not list the format of the backing file";
    }
  }
  // A writer may drop bitmaps, and says so with the autoclear bit.
  if (bitmaps.length > 0) return "the image has bitmaps";
  return snapshots.length > 0 && !facts.snapshots ? "the image has snapshots" : undefined;
}

/**
 * Runs a case. The next image has the same path: an implementation that may still have this one open is
 * ended.
 */
async function reportOf(
  changing: Changing,
  run: (changing: Changing) => Promise<void>,
): Promise<CaseReport> {
  const { peer, closes } = changing;
  let isClosed = false;
  try {
    await run(changing);
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
