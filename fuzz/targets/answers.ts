import { AccessError, type Layer, type MapEntry } from "../../src/format/mod.ts";
import {
  extentsOf,
  infoOf,
  type Judgement,
  layersOf,
  mapOf,
  type OpenedImage,
  readContent,
} from "../../src/image/mod.ts";
import {
  checkOutcome,
  compareCheck,
  compareInfo,
  compareMap,
  compareOutcomes,
  type Difference,
  type Outcome,
  type QemuImgPeer,
  type QemuIoSession,
} from "../../src/peers/mod.ts";
import { firstDifference } from "./content.ts";
import type { Observation } from "./divergences.ts";

/** Content beyond this is left to the map. */
const CONTENT_MAX = 2 ** 18;
/** Content is compared in pieces of at most this where some of it cannot be read. */
const UNIT_MAX = 2 ** 14;

/** The programs that a run keeps. */
export interface Tools {
  readonly session: QemuIoSession;
  readonly qemuImg: QemuImgPeer;
  readonly version: string;
}

/** A question to qemu-img. */
export type Ask = "info" | "map" | "check" | "nothing";

/** An image, what the reference makes of it, and whom to ask. */
export interface Asked extends Tools {
  readonly directory: string;
  readonly path: string;
  readonly format: string;
  readonly image: OpenedImage;
  readonly judgement: Judgement;
  /** Something was done to the image after it was built. */
  readonly edited: boolean;
  /** What the image is opened with: the first one for itself, the next ones for its backing files. */
  readonly passphrases?: readonly string[];
  /** The name of the file with its detached LUKS header. */
  readonly header?: string;
}

/** A difference, for a divergence to explain or a person to read. */
export interface Seen {
  readonly observation: Observation;
  readonly message: string;
}

function seen(asked: Asked, question: Observation["question"], said: {
  outcome: string;
  message: string;
  damagedStream?: boolean;
}): Seen {
  const { version, judgement, image } = asked;
  const info = image.layer?.info()["format-specific"]?.data;
  const zstd = info?.["compression-type"] === "zstd";
  return {
    observation: {
      tool: "qemu-img",
      question,
      version,
      zstd,
      judgement,
      outcome: said.outcome,
      damagedStream: said.damagedStream ?? false,
    },
    message: `${question}: ${said.message}`,
  };
}

/** Opening, content and allocation, through qemu-io. */
export async function compareContent(asked: Asked): Promise<Seen[]> {
  const { session, path, format, image, judgement } = asked;
  const size = Math.min(CONTENT_MAX, image.layer?.virtualSize ?? 0);
  const unit = Math.min(UNIT_MAX, image.layer?.clusterSize ?? UNIT_MAX);
  const answer = await session.examine({ path, format, size, unit, ...opening(asked) });
  const opens = judgement.qemu.open === "accept";
  if (answer.outcome !== "accepted") {
    if (answer.outcome === "rejected" && !opens) return [];
    const message = `qemu-io says ${answer.outcome} (${answer.message}); ` +
      `the reference says ${judgement.qemu.open}`;
    return [seen(asked, "open", { outcome: answer.outcome, message })];
  }
  if (!opens) {
    const refusal = image.findings.refusal("read")?.rule;
    const message = `qemu-io opens the image; the reference refuses it for ${refusal}`;
    return [seen(asked, "open", { outcome: "accepted", message })];
  }
  const { bytes, unreadable, map } = answer.value;
  const broken = new Set(unreadable.map((range) => range.start));
  const differs = contentDifference(image, { bytes, broken, unit });
  if (differs !== undefined) {
    const damagedStream = asked.edited && isCompressed(image, differs.at);
    const { message } = differs;
    return [seen(asked, "content", { outcome: "accepted", message, damagedStream })];
  }
  const message = allocationDifference(image, map);
  return message === undefined ? [] : [seen(asked, "allocation", { outcome: "accepted", message })];
}

/** What is handed over with an image. */
function opening({ passphrases, header }: Asked): Pick<Asked, "passphrases" | "header"> {
  return {
    ...(passphrases === undefined || passphrases.length === 0 ? {} : { passphrases }),
    ...(header === undefined ? {} : { header }),
  };
}

/** Whether the content at a position comes out of a compressed stream. */
function isCompressed(image: OpenedImage, at: number): boolean {
  const [extent] = extentsOf(layersOf(image), at, at + 1);
  return extent?.run.kind === "compressed";
}

/** Where content differs, and how. */
interface ContentDifference {
  readonly at: number;
  readonly message: string;
}

/** Holds content unit by unit against what qemu-io has read. */
function contentDifference(
  image: OpenedImage,
  read: { bytes: Uint8Array; broken: ReadonlySet<number>; unit: number },
): ContentDifference | undefined {
  const layers = layersOf(image);
  const { bytes, broken, unit } = read;
  for (let start = 0; start < bytes.length; start += unit) {
    const length = Math.min(unit, bytes.length - start);
    const ours = contentOrError(layers, start, length);
    if (ours instanceof AccessError) {
      if (!broken.has(start)) {
        const message = `qemu-io reads at ${start}; the reference says ${ours.message}`;
        return { at: start, message };
      }
      continue;
    }
    if (broken.has(start)) {
      return { at: start, message: `qemu-io cannot read at ${start}; the reference can` };
    }
    const differs = firstDifference(ours, bytes.subarray(start, start + length));
    if (differs >= 0) return { at: start + differs, message: `another byte at ${start + differs}` };
  }
  return undefined;
}

function contentOrError(
  layers: readonly Layer[],
  start: number,
  length: number,
): Uint8Array | AccessError {
  try {
    return readContent(layers, BigInt(start), length);
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
}

/** Holds what the top layer itself says something about against qemu-io's map. */
function allocationDifference(
  image: OpenedImage,
  map: readonly { start: number; length: number; allocated: boolean }[],
): string | undefined {
  const { layer } = image;
  if (layer === undefined) return undefined;
  const ours: { start: number; length: number; allocated: boolean }[] = [];
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.broken !== undefined) return undefined;
    const allocated = run.kind !== "unallocated";
    const last = ours.at(-1);
    if (last !== undefined && last.allocated === allocated) last.length += run.length;
    else ours.push({ start: run.start, length: run.length, allocated });
  }
  const differs = JSON.stringify(ours) !== JSON.stringify(map);
  return differs
    ? `allocation ${JSON.stringify(ours)}, and ${JSON.stringify(map)} to qemu-io`
    : undefined;
}

/** One question to qemu-img. */
export async function compareAnswer(asked: Asked, ask: Ask): Promise<Seen[]> {
  if (ask === "nothing") return [];
  const { qemuImg, path, format, directory, image, version } = asked;
  const subject = { path, format, directory, ...opening(asked) };
  if (ask === "info") {
    const ours = answerOf(image, "info", () => infoOf({ ...image, path }));
    const theirs = await qemuImg.info(subject);
    return differences(asked, {
      ask,
      ours,
      theirs,
      compare: (a, b) => compareInfo(a, b, { version }),
    });
  }
  if (ask === "map") {
    const ours = answerOf<readonly MapEntry[]>(image, "read", () => {
      const { entries, error } = mapOf(image);
      if (error !== undefined) throw error;
      return entries;
    });
    const theirs = await qemuImg.map(subject);
    return differences(asked, {
      ask,
      ours,
      theirs,
      compare: (a, b) => compareMap(a, b, { version }),
    });
  }
  const ours = image.findings.refusal("check") !== undefined || image.layer === undefined
    ? { outcome: "rejected" as const, message: "The image does not open" }
    : checkOutcome(image);
  const theirs = await qemuImg.check(subject);
  return differences(asked, { ask, ours, theirs, compare: compareCheck });
}

function answerOf<T>(
  image: OpenedImage,
  opening: "info" | "read",
  answer: () => T,
): Outcome<T> {
  const refusal = image.findings.refusal(opening);
  if (refusal !== undefined) return { outcome: "rejected", message: refusal.message };
  if (image.layer === undefined) return { outcome: "rejected", message: "The image does not open" };
  try {
    return { outcome: "accepted", value: answer() };
  } catch (error) {
    if (error instanceof AccessError) return { outcome: "rejected", message: error.message };
    throw error;
  }
}

function differences<T>(asked: Asked, answers: {
  ask: "info" | "map" | "check";
  ours: Outcome<T>;
  theirs: Outcome<T>;
  compare: (ours: T, theirs: T) => Difference[];
}): Seen[] {
  const { ask, ours, theirs, compare } = answers;
  const [first] = compareOutcomes(ours, theirs, { values: compare });
  if (first === undefined) return [];
  const message = `at ${first.path || "/"}, the reference says ${JSON.stringify(first.left)} ` +
    `and qemu-img ${JSON.stringify(first.right)}`;
  return [seen(asked, ask, { outcome: theirs.outcome, message })];
}
