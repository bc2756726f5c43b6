import * as fc from "fast-check";
import { SECTOR, utf8 } from "../../src/bytes/mod.ts";
import { dirname } from "node:path";
import type { OpenedImage, ReadOptions } from "../../src/image/mod.ts";
import { QemuWriter } from "../../src/peers/mod.ts";
import { type CaseFile, type CaseReport, type Target, type TargetContext } from "../engine/mod.ts";
import {
  describeModel,
  diskOf,
  filesOf,
  formatIn,
  type Kit,
  openWith,
  passphrasesOf,
  readOptionsOf,
  repaired,
  sourceOf,
  targetName,
} from "../formats/mod.ts";
import {
  type Abilities,
  abilitiesOf,
  actionsOf,
  describeAction,
  QEMU_FAILURES,
  QemuFiles,
  QemuLacks,
  ReferenceFiles,
  requireStep,
  runSequence,
  runToCrash,
  scriptOf,
  type Start,
  startOf,
  type State,
  stepLists,
  type TurnStep,
  type Writer,
} from "../stateful/mod.ts";
import { excerptOf } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";

/** A case of a stateful target: a sound image, and the steps that change it. */
export interface StatefulCase<Model = unknown> {
  /** The model that the image is built from. */
  readonly model: Model;
  /** The steps, in order. */
  readonly steps: readonly TurnStep[];
  /** Compare after each step, and not only after the last one. */
  readonly everyStep: boolean;
  /** Selects what a crash leaves. */
  readonly seed?: number;
}

/** Who applies the steps, and how the target is called. */
interface Cast {
  readonly property: string;
  readonly says: string;
  readonly weight: number;
  readonly needs?: Target["needs"];
  readonly onlyByName?: boolean;
  /** The writers do the steps in turns on one image. */
  readonly turns?: boolean;
  /** The sequence ends with a crash. */
  readonly crashes?: boolean;
  writers(tools: Tools): readonly Writer[];
}

/** Makes writers for a case. */
interface Tools {
  qemu(): Writer;
  reference(): Writer;
}

const NEEDS = ["qemu-img", "qemu-io"] as const;

/** The casts of formats with an editor. */
const CASTS: readonly Cast[] = [
  {
    property: "stateful",
    says: "an image that is changed step by step is what its model says, and checks clean",
    weight: 3,
    writers: ({ reference }) => [reference()],
  },
  {
    property: "stateful-differential",
    says:
      "the same steps with qemu-io and qemu-img give the same content, and images that check clean",
    weight: 2,
    needs: NEEDS,
    writers: ({ reference, qemu }) => [reference(), qemu()],
  },
  {
    property: "stateful-mixed",
    says:
      "an image that diskproof and qemu change in turns is what its model says, and checks clean",
    weight: 2,
    needs: NEEDS,
    turns: true,
    writers: ({ reference, qemu }) => [reference(), qemu()],
  },
];

/** The writes that are undone of a sequence: all prefixes of some, and other choices. */
const CRASHES = { prefixesMax: 24, others: 12 } as const;

const CRASH: Cast = {
  property: "stateful-crash",
  says: "a crash between two flushes leaves an image that opens, whose sectors are old or new",
  weight: 2,
  crashes: true,
  writers: () => [],
};

const QEMU: Cast = {
  property: "stateful-qemu",
  says: "what qemu-io and qemu-img make of an image step by step is what its model says",
  weight: 1,
  needs: NEEDS,
  onlyByName: true,
  writers: ({ qemu }) => [qemu()],
};

/** The stateful targets of a kit. Without an editor of the format, QEMU alone changes its images. */
export function stateful<Model>(kit: Kit<Model>): readonly Target<StatefulCase<Model>>[] {
  const casts = kit.format.editor === undefined ? [QEMU] : [...CASTS, CRASH, QEMU];
  const isForQemu = kit.tools === undefined || kit.tools.needs.includes("qemu-img");
  return casts.filter(({ needs }) => needs === undefined || isForQemu).map((cast) =>
    statefulTarget(kit, cast)
  );
}

const NOT_FOR_QEMU = "QEMU does not support the image";
const TIMEOUT_MS = 8000;
/** Bytes of the longest file that is written for QEMU. */
const FILE_MAX = 2 ** 23;

function statefulTarget<Model>(kit: Kit<Model>, cast: Cast): Target<StatefulCase<Model>> {
  const { property, says, weight, needs, onlyByName, turns = false, crashes = false } = cast;
  let writer: QemuWriter | undefined;
  const qemu = ({ directory }: TargetContext): Writer => {
    const scratch = dirname(directory);
    writer ??= new QemuWriter({ directory, scratch, timeoutMs: TIMEOUT_MS });
    return new QemuFiles(writer, directory);
  };
  return {
    name: targetName(kit, property),
    says,
    weight,
    ...(needs === undefined ? {} : { needs }),
    ...(onlyByName === undefined ? {} : { onlyByName }),
    cases: () => statefulCases(kit, { turns, crashes }),
    toJson: toPlainJson,
    fromJson: (json) => fromPlainJson(json) as StatefulCase<Model>,
    repair: (value) => {
      for (const step of value.steps) requireStep(step);
      return { ...repaired(kit, value), everyStep: value.everyStep === true };
    },
    files: ({ model }) => filesOf(kit, model),
    describe: (value) => describeSteps(kit, value, startIn(kit, value.model, true).start.state),
    script: ({ model, steps }) => {
      const { start, image } = startIn(kit, model, true);
      return scriptOf({ start, image, actions: actionsOf(start.state, steps) });
    },
    excerpt: ({ model }, about) => excerptOf(kit, sourceOf(filesOf(kit, model)), { about, model }),
    passphrases: ({ model }) => passphrasesOf(kit, model, "right"),
    run: async ({ model, steps, everyStep, seed = 0 }, context): Promise<CaseReport> => {
      const { start, leaks, open, options } = restricted(startIn(kit, model), cast);
      if (needs !== undefined && start.files.some(({ source }) => source.size > FILE_MAX)) {
        return { depth: "header", rules: [], skipped: "a file is too large to write" };
      }
      const lack = needs !== undefined &&
          (!start.state.facts.forQemu || start.header !== undefined)
        ? NOT_FOR_QEMU
        : lackOf(start.state);
      if (lack !== undefined) return { depth: "header", rules: [], skipped: lack };
      if (crashes) {
        // A sector of a volume is encrypted as a whole; a disk that tears it has smaller ones.
        const unit = start.format.startsWith("luks") ? start.state.facts.clusterSize : SECTOR;
        const states = runToCrash(start, steps, { ...CRASHES, seed, unit, open, options });
        return { depth: states > 1 ? "accepted" : "data", rules: [] };
      }
      const running = runSequence(start, steps, {
        writers: cast.writers({
          qemu: () => qemu(context),
          reference: () => new ReferenceFiles({ options, ...keysIn(kit, start) }),
        }),
        ...{ turns, everyStep, open, allowed: { leaks }, known: QEMU_FAILURES },
        unlocks: (files, passphrase) => {
          const { header, source, definition } = openWith(kit, files);
          const key = definition.keys?.unlock?.(header ?? source, utf8(passphrase));
          return key !== undefined && "slot" in key;
        },
      });
      const ran = await running.catch((error) => {
        if (error instanceof QemuLacks) return undefined;
        throw error;
      });
      if (ran === undefined) return { depth: "header", rules: [], skipped: NOT_FOR_QEMU };
      const { done, known } = ran;
      return {
        depth: done > 0 ? "accepted" : "data",
        rules: [],
        ...(known === undefined ? {} : { divergences: [known] }),
      };
    },
    async stop() {
      const closing = writer;
      writer = undefined;
      await closing?.close();
    },
  };
}

/** A sound image, and what is expected of it. */
export interface StartIn {
  readonly start: Start & { readonly state: State };
  readonly image: OpenedImage;
  readonly leaks: number;
  readonly options: ReadOptions;
  open(files: readonly CaseFile[]): OpenedImage;
}

/**
 * The image of a model at the start of a sequence.
 *
 * @param locked without trying a passphrase, which takes longer than everything else
 */
export function startIn<Model>(kit: Kit<Model>, model: Model, locked = false): StartIn {
  const files = filesOf(kit, model);
  const passphrases = passphrasesOf(kit, model, "right");
  const open = (files: readonly CaseFile[]) => openWith(kit, files, passphrases);
  const views = kit.expected?.views?.(model) ?? [];
  // A volume without its key has no content; its passphrases are remembered.
  const isLocked = locked && kit.keys?.remembered !== true;
  const image = isLocked ? openWith(kit, files) : open(files);
  const { state, leaks } = startOf(image, { disk: diskOf(kit, model), views });
  const { name: format } = formatIn(kit, model);
  const [file] = files;
  const keys = file !== undefined && kit.keys?.slots?.isIn(file.source) === true;
  const facts = { ...state.facts, keys };
  const header = image.header === undefined ? {} : { header: files[0]?.name ?? "" };
  const options = readOptionsOf(kit, passphrases);
  return {
    start: { files, format, passphrases, state: { ...state, facts }, ...header },
    image,
    leaks,
    open,
    options,
  };
}

/** How the keys of an image are changed, if they can be. */
function keysIn<Model>({ keys }: Kit<Model>, { passphrases: [passphrase] }: Start) {
  const slots = keys?.slots;
  return slots === undefined || passphrase === undefined ? {} : { keys: { slots, passphrase } };
}

/** What the editors of formats can do, by format. */
const known = new Map<string, Abilities>();

/** The start, for an editor that cannot do all that QEMU can. */
function restricted(
  startIn: StartIn,
  { property, needs, turns = false, crashes = false }: Cast,
): StartIn {
  const { start, options } = startIn;
  const { facts } = start.state;
  if (property === QEMU.property) return withFacts(startIn, { keys: false });
  const abilities = known.get(start.format) ?? abilitiesOf(start, options);
  if (abilities === undefined) return startIn;
  known.set(start.format, abilities);
  return withFacts(startIn, {
    // QEMU has no command for it.
    empties: !facts.backing && abilities.empties && needs === undefined && !crashes,
    compresses: facts.compresses && abilities.compresses,
    // Side by side, all writers have to accept it.
    compressesOver: facts.compressesOver && (needs === undefined || turns),
    appliesOverBitmaps: facts.appliesOverBitmaps && (needs === undefined || turns),
    resizes: facts.resizes && abilities.resizes,
    snapshots: facts.snapshots && abilities.snapshots,
    bitmaps: facts.bitmaps && abilities.bitmaps,
    // QEMU measures the processor for a second for each key. In turns, it only erases keys.
    keys: facts.keys && (needs === undefined || turns) && !crashes,
  });
}

function withFacts(startIn: StartIn, facts: Partial<State["facts"]>): StartIn {
  const { start } = startIn;
  const state = { ...start.state, facts: { ...start.state.facts, ...facts } };
  return { ...startIn, start: { ...start, state } };
}

/** What the image has and its editor cannot keep. */
function lackOf({ facts, bitmaps, snapshots }: State): string | undefined {
  if (bitmaps.length > 0 && !facts.bitmaps) return "the editor has no bitmaps";
  return snapshots.length > 0 && !facts.snapshots ? "the editor has no snapshots" : undefined;
}

/** Sound images, and steps that change them. */
export function statefulCases<Model>(
  kit: Kit<Model>,
  { turns = false, crashes = false }: { readonly turns?: boolean; readonly crashes?: boolean } = {},
): fc.Arbitrary<StatefulCase<Model>> {
  // All volumes have keys, but few other images.
  const { slots, remembered = false } = kit.keys ?? {};
  return fc.record({
    model: kit.models("stateful"),
    steps: stepLists({ turns, keys: slots === undefined ? 0 : remembered ? 4 : 1 }),
    everyStep: crashes
      ? fc.constant(false)
      : fc.integer({ min: 0, max: 7 }).map((number) => number === 7),
    ...(crashes ? { seed: fc.nat(2 ** 16) } : {}),
  });
}

/** The image and the actions of a case, a line each. */
export function describeSteps<Model>(
  kit: Kit<Model>,
  { model, steps, everyStep }: StatefulCase<Model>,
  state: State,
): string {
  return [
    describeModel(kit, model),
    ...actionsOf(state, steps).map(({ by, ...action }) =>
      `${by === undefined ? "" : `${by === 0 ? "reference" : "qemu"}: `}${describeAction(action)}`
    ),
    ...(everyStep ? ["compared after each step"] : []),
  ].join("\n");
}
