import type * as fc from "fast-check";
import { type ByteSource, SegmentSource, utf8 } from "../../src/bytes/mod.ts";
import type { Format, Json, MapEntry, Placed } from "../../src/format/mod.ts";
import {
  type Judgement,
  openBytes,
  type OpenedImage,
  type ReadOptions,
} from "../../src/image/mod.ts";
import type { ToolName } from "../../src/peers/mod.ts";
import type { Finding, RuleId } from "../../src/rules/mod.ts";
import type { Asked, Compared, Divergence, Toolbox } from "../compare/mod.ts";
import type { CaseFile, Depth } from "../engine/mod.ts";
import { keptKeys } from "./kept_keys.ts";
import {
  type ExpectedDisk,
  guestDisk,
  type KeyChoice,
  type Range,
  strangePassphrase,
} from "../generate/mod.ts";
import {
  applyEdits,
  type Dictionary,
  type Edit,
  type Editable,
  type EditDraw,
} from "../mutate/mod.ts";
import type { KeySlots } from "./key_slots.ts";

/** What models are drawn for. */
export type Use = "open" | "roundtrip" | "differential" | "stateful";

/**
 * What the fuzz targets know of a format. Only `format` and `models` have to be there: with them, any
 * bytes are opened, edited images are judged, and sound ones read back as their models say. The rest
 * is what a format has besides, or what is better known of it.
 *
 * A model is a plain value: JSON, except for a `bigint`.
 */
export interface Kit<Model = unknown> {
  /** The format of the images. */
  readonly format: Format;
  /** Sound images, as the writer of the format makes them normal. */
  models(use: Use): fc.Arbitrary<Model>;
  /** What its targets are called by: `qcow2` of `qcow2-open`; the format's name where it is absent. */
  readonly name?: string;
  /** What the models have to be, each at least so often. */
  readonly classes?: readonly ModelClass<Model>[];
  /** Name of an image's file; `image.` and the format's name by default. */
  readonly file?: string;
  /** Lays an image out; by default, as the writer of the format builds it. Deterministic. */
  build?(model: Model): LaidOut;
  /** The format of an image, where a kit has images of several. */
  formatOf?(model: Model): Format;
  /**
   * The model, or the nearest one that can be drawn, after a part of it was taken out.
   *
   * @throws {Error} where there is none
   */
  repair?(model: Model): Model;
  /** An image in a line; by default, its model. */
  describe?(model: Model): string;
  /** What should be said of a sound image. */
  readonly expected?: Expected<Model>;
  /** How images are changed; by default as any image may be. */
  readonly edits?: EditOptions;
  /** How encrypted images are opened; absent for a format without encryption. */
  readonly keys?: KeyKit<Model>;
  /** Opens the files of an image; by default the first one, by itself. */
  open?(files: readonly CaseFile[], options: ReadOptions): OpenedImage;
  /** Rules about what a reader finds beyond the header; by default those that are not about it. */
  readonly tableRules?: RegExp;
  /** How far a reader gets into an image, if QEMU's verdict does not determine it. */
  depth?(image: OpenedImage, judgement: Judgement): Depth;
  /** Whether an image has to open as before after these edits; by default where there are none. */
  sound?(model: Model, edits: readonly Edit[]): boolean;
  /**
   * What has to hold between an image and what is said of it, whatever its bytes are.
   *
   * @throws {Failure} where it does not
   */
  agrees?(image: OpenedImage, opened: OpenedCase<Model>): void;
  /** Where the entries of tables are that say what a byte of the disk is made of, the last one last. */
  entriesAt?(source: ByteSource, guestOffset: number): { path: string; offset: number }[];
  /** Paths of what says how content is stored, for a format without such tables. */
  readonly contentPaths?: RegExp;
  /** Which structures parts of answers come from: a pattern of paths, and the structure's own path. */
  readonly answerPaths?: readonly (readonly [pattern: RegExp, place: string])[];
  /** Bytes that never were an image; by default without a magic in front of them. */
  readonly noise?: NoiseKit;
  /** The tools that answer to the same images; absent where there are none. */
  readonly tools?: ToolKit;
  /** Share of the time budget of `open` and `roundtrip`, relative to other targets. */
  readonly weight?: number;
  /** What kind of case an edited image is; `edited` by default. */
  readonly kind?: string;
  /** The same models laid out otherwise, by kind of case; half as often as by themselves. */
  readonly elsewhere?: Readonly<Record<string, Kit<Model>>>;
}

/** Models that are alike in one respect. */
export interface ModelClass<Model> {
  /** What they have in common, in words. */
  readonly name: string;
  /** The share of all models that they are at least. */
  readonly share: number;
  /** Whether a model is one of them. */
  has(model: Model): boolean;
}

/** An image that was laid out, as files. */
export interface LaidOut {
  /** The file that edits change: the image, or what starts with its header. */
  readonly image: Editable;
  /** Its name: `image.qcow2`. */
  readonly name: string;
  /** The files that it refers to or is opened with. */
  readonly others?: readonly CaseFile[];
  /** Unit of allocation in bytes; a sector where it is absent. */
  readonly unit?: number;
}

/** What is expected of a sound image, by its model and not by what was built. */
export interface Expected<Model> {
  /** What a guest sees; by default, what the writer of the format says. */
  disk?(model: Model): ExpectedDisk;
  /** The same of its snapshots, by their ids. */
  views?(model: Model): Iterable<readonly [id: string, disk: ExpectedDisk]>;
  /** The snapshots that `info` prints. */
  snapshots?(model: Model): readonly Json[];
  /** The bitmaps. */
  bitmaps?(model: Model): readonly ExpectedBitmap[];
  /** What the format's part of `info` says. */
  info?(model: Model): { readonly [name: string]: Json };
  /** What `map` says. */
  map?(model: Model): readonly Pick<MapEntry, "start" | "length" | "depth" | "zero" | "data">[];
  /** What `check` says, where it can say anything. */
  check?(model: Model): { readonly exitCode: number; readonly leaks: number } | undefined;
  /**
   * The rules that the image breaks and those that it keeps, by its model and by where its parts are;
   * `undefined` for those that it may break. It breaks no others.
   */
  broken?(model: Model, image: Editable): ReadonlyMap<RuleId, boolean | undefined>;
  /** QEMU opens and reads each of the images. */
  readonly opensInQemu?: true;
  /** Members of `info` that may be anything after damage, and rules that may then be broken. */
  readonly infoOfDamage?: readonly string[];
  /** Rules that may be broken after damage. */
  readonly damage?: readonly RuleId[];
}

/** A bitmap that is expected, and the ranges of the disk that it marks. */
export interface ExpectedBitmap {
  /** Its name. */
  readonly name: string;
  /** Bytes of the disk that a bit stands for. */
  readonly granularity: number;
  /** It was not saved. */
  readonly inUse: boolean;
  /** It tracks writes. */
  readonly auto: boolean;
  /** The ranges that it marks, in order. */
  readonly marks: Iterable<Range>;
}

/** What `check` says of a format that qemu-img cannot check. */
export const NO_CHECKER = { exitCode: 63, leaks: 0 } as const;

/** How images of a format are changed. */
export interface EditOptions {
  /** Lists of edits; those of any image by default. For `roundtrip`, such as may leave it sound. */
  draws?(use: Use): fc.Arbitrary<readonly EditDraw[]>;
  /** An edit as an artifact of an earlier release may have it. */
  stored?(edit: Edit): Edit;
  /** Values that are interesting for the format. */
  readonly dictionary?: Dictionary;
  /** Places that are hit more often than their share. */
  readonly favourite?: (place: Placed) => boolean;
}

/** How encrypted images of a format are opened. */
export interface KeyKit<Model> {
  /** What an image is opened with in a target. */
  choices(use: Use): fc.Arbitrary<KeyChoice>;
  /** The right passphrases, that of the image itself first; by default the last one that opens it. */
  passphrases?(model: Model): readonly string[];
  /** The passphrases of all keys; by default those that open it. */
  all?(model: Model): readonly string[];
  /** Work that trying passphrases may take: more than a generated image takes, and not much more. */
  readonly iterationsMax: number;
  /** Milliseconds that it may take. */
  readonly milliseconds: number;
  /** The first variant of this image alone is opened with a passphrase: that takes so long. */
  costly?(model: Model): boolean;
  /** Trying passphrases takes so long that an image is tried once; its models are JSON. */
  readonly remembered?: true;
  /**
   * Compares the key slots of an image that is as it was built with its model.
   *
   * @throws {Failure} where a slot opens that must not, or does not where it must
   */
  sound?(header: ByteSource, model: Model): void;
  /** What may be done to keys. */
  readonly changes?: KeyChanges<Model>;
  /** Adds and erases keys between other changes of an image. */
  readonly slots?: KeySlots;
}

/** What may be done to the keys of an image, which keeps its content. */
export interface KeyChanges<Model, Change = unknown> {
  /** Draws lists of changes. */
  draws(): fc.Arbitrary<readonly Change[]>;
  /** A change in a line. */
  describe(change: Change): string;
  /**
   * Applies the changes.
   *
   * @returns the files of the image after that
   * @throws {Failure} where something else comes of the changes than has to
   */
  run(model: Model, changes: readonly Change[]): readonly CaseFile[];
}

/** Outside tools, and what they are asked. */
export interface ToolKit {
  /** What the answers are about, in a line. */
  readonly says: string;
  /** The tools without which there is nothing to compare, and those that answer where they are. */
  readonly needs: readonly ToolName[];
  /** Tools that are used where they are installed. */
  readonly uses?: readonly ToolName[];
  /** Share of the time budget of `differential`. */
  readonly weight: number;
  /** What is asked, each so often: a name of the kit's own. */
  readonly asks: Readonly<Record<string, number>>;
  /** One list of edits in so many is empty. */
  readonly untouched: number;
  /** Milliseconds for one answer: less than a case may take, so that it is known who was slow. */
  readonly timeoutMs: number;
  /** Bytes of the longest file that is written. */
  readonly fileMax?: number;
  /** Differences that are understood. */
  readonly divergences: readonly Divergence[];
  /** Asks, and compares the answers with those of the reference. */
  compare(asked: Asked, ask: string, tools: Toolbox): Promise<Compared>;
}

/** An image as it was opened. */
export interface OpenedCase<Model> {
  /** The files of the case. */
  readonly files: readonly CaseFile[];
  /** What the image is opened with. */
  readonly key: KeyChoice;
  /** What the image was built from, and what was done to it; absent for noise. */
  readonly from?: { readonly model: Model; readonly edits: readonly Edit[] };
}

/** Bytes that mean nothing, behind what makes a reader look at them. */
export interface NoiseKit {
  /** What the bytes start with: members of the case. */
  readonly head: fc.Arbitrary<{ readonly [name: string]: Json }>;
  /** Writes it into bytes that may be too short for it. */
  write(head: { readonly [name: string]: Json }, bytes: Uint8Array): void;
  /** Length of the longest. */
  readonly lengthMax?: number;
  /** They may be the header of a payload in another file. */
  readonly detached?: true;
}

/** What a target of a kit is called: `qcow2-open`; the property alone for a kit without a name. */
export function targetName<Model>({ name, format }: Kit<Model>, property: string): string {
  const prefix = name ?? format.name;
  return prefix === "" ? property : `${prefix}-${property}`;
}

/** The format of an image. */
export function formatIn<Model>(kit: Kit<Model>, model: Model): Format {
  return kit.formatOf?.(model) ?? kit.format;
}

/** Name of the file of an image. */
export function fileOf<Model>({ file, format }: Kit<Model>): string {
  return file ?? `image.${format.name}`;
}

/** An image in a line. */
export function describeModel<Model>(kit: Kit<Model>, model: Model): string {
  return kit.describe?.(model) ??
    `${kit.format.name} ${
      JSON.stringify(model, (_, value) => typeof value === "bigint" ? String(value) : value)
    }`;
}

const laidOut = new WeakMap<Kit, WeakMap<object, LaidOut>>();

/** An image as it was laid out, made once for each model. */
export function layOut<Model>(kit: Kit<Model>, model: Model): LaidOut {
  const known = laidOut.get(kit as Kit) ?? new WeakMap<object, LaidOut>();
  laidOut.set(kit as Kit, known);
  const made = known.get(model as object) ?? kit.build?.(model) ?? builtBy(kit, model);
  known.set(model as object, made);
  return made;
}

function builtBy<Model>(kit: Kit<Model>, model: Model): LaidOut {
  const { image, payload } = kit.format.writer.build(model);
  const others = payload === undefined
    ? []
    : [{ name: "payload.raw", source: new SegmentSource(payload.segments, payload.size) }];
  return { image, name: fileOf(kit), others };
}

/** The files of an image after edits, the one that was edited first. */
export function filesOf<Model>(
  kit: Kit<Model>,
  model: Model,
  edits: readonly Edit[] = [],
): CaseFile[] {
  const { image, name, others = [] } = layOut(kit, model);
  return [{ name, source: applyEdits(image, edits) }, ...others];
}

/** What a guest should see of an image. */
export function diskOf<Model>(kit: Kit<Model>, model: Model): ExpectedDisk {
  return kit.expected?.disk?.(model) ?? guestDisk(kit.format.writer.content(model));
}

/** The passphrases of all keys of an image. */
export function allPassphrases<Model>(
  { keys, format }: Kit<Model>,
  model: Model,
): readonly string[] {
  return keys?.all?.(model) ?? keys?.passphrases?.(model) ?? format.writer.passphrases?.(model) ??
    [];
}

/** The passphrases that a choice stands for; none where nothing is encrypted. */
export function passphrasesOf<Model>(
  kit: Kit<Model>,
  model: Model,
  choice: KeyChoice,
): readonly string[] {
  if (choice === "none" || kit.keys === undefined) return [];
  const right = kit.keys.passphrases?.(model) ??
    kit.format.writer.passphrases?.(model).slice(-1) ?? [];
  if (choice === "right") return right;
  const strange = strangePassphrase(allPassphrases(kit, model));
  return right.map(() => strange);
}

/** How an image is opened with passphrases. */
export function readOptionsOf<Model>(
  { keys }: Kit<Model>,
  passphrases: readonly string[],
): ReadOptions {
  if (keys === undefined) return {};
  return { passphrases: passphrases.map(utf8), iterationsMax: keys.iterationsMax, keptKeys };
}

/** Opens the files of an image with passphrases. */
export function openWith<Model>(
  kit: Kit<Model>,
  files: readonly CaseFile[],
  passphrases: readonly string[] = [],
): OpenedImage {
  const options = readOptionsOf(kit, passphrases);
  return kit.open?.(files, options) ?? openBytes(sourceOf(files), kit.format, options);
}

/** Whether an image has to open as before after edits. */
export function isSound<Model>(kit: Kit<Model>, model: Model, edits: readonly Edit[]): boolean {
  return edits.length === 0 || kit.sound?.(model, edits) === true;
}

/** The file that was edited. */
export function sourceOf([first]: readonly CaseFile[]): ByteSource {
  if (first === undefined) throw new TypeError("Cannot open a case without files");
  return first.source;
}

/** How far a reader gets into an image: by default, from QEMU's verdict. */
export function depthOf<Model>(kit: Kit<Model>, image: OpenedImage, judgement: Judgement): Depth {
  const own = kit.depth?.(image, judgement);
  if (own !== undefined) return own;
  const { findings, qemu } = judgement;
  const isTable = ({ rule, path }: Finding): boolean =>
    kit.tableRules?.test(rule) ?? !path.startsWith("/header");
  if (qemu.open === "reject" || qemu.open === "needs-key") {
    const refusal = findings.find(({ effect }) => effect === "refused-at-open");
    return refusal !== undefined && isTable(refusal) ? "tables" : "header";
  }
  const harmless: readonly Finding["effect"][] = ["ignored", "warning", "unknown", "leak"];
  const tables = findings.some((finding) => !harmless.includes(finding.effect) && isTable(finding));
  if (tables) return "tables";
  return qemu.read === "error" ? "data" : "accepted";
}
