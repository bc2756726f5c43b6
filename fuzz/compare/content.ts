import { AccessError, type Layer } from "../../src/format/mod.ts";
import { imagesOf, layersOf, type OpenedImage, readContent } from "../../src/image/mod.ts";
import type { ChainImage, Examination, Reading } from "../../src/peers/mod.ts";
import { answerAt, firstDifference, whereIn } from "./bytes.ts";
import { hasFarHole } from "./files.ts";
import type { Seen } from "./observation.ts";
import { type Asked, type By, differences, type Ours, seen, type SeenDetails } from "./outcomes.ts";
import type { Toolbox } from "./tools.ts";

/** Content beyond this is compared only by the map. */
const CONTENT_MAX = 2 ** 18;
/** Largest piece in which content is compared if some of it cannot be read. */
const UNIT_MAX = 2 ** 14;

/** Units that cannot be read beyond which qemu-io is not told which they are. */
const UNREADABLE_MAX = 512;

/** What qemu-io should read. */
type Expected = Pick<Reading, "expected" | "length" | "unreadable">;

/** Compares opening, content and allocation with qemu-io's. */
export async function compareContent(asked: Asked, tools: Toolbox): Promise<Seen[]> {
  const { image, judgement, subject: { directory: _, ...subject } } = asked;
  const { version } = tools.qemuImg;
  const by = { tool: "qemu-img", program: "qemu-io", version } as const;
  const size = Math.min(CONTENT_MAX, image.layer?.virtualSize ?? 0);
  const unit = Math.min(UNIT_MAX, image.layer?.clusterSize ?? UNIT_MAX);
  const expected = expectedOf(asked, size, unit);
  const mapped = !hasFarHole(image.source);
  const likely = openedChain(image);
  const theirs = await tools.qemuIo.examine({
    ...subject,
    likely,
    size,
    unit,
    mapped,
    ...expected,
  });
  const opened = differences<unknown>(asked, { ...by, question: "open" }, {
    ours: judgement.qemu.open === "accept" ? { outcome: "accepted", value: null } : refusal(asked),
    theirs,
    compare: () => [],
  });
  if (opened.length > 0 || theirs.outcome !== "accepted") return opened;
  const same = theirs.value.bytes === expected.expected;
  return compareExamination(asked, by, { ...theirs.value, unit, mapped, same });
}

/** The images of a chain down to the first one that the reference rejects. */
export function openedChain(image: OpenedImage): ChainImage[] {
  const chain: ChainImage[] = [];
  for (const { layer } of imagesOf(image)) {
    if (layer === undefined) break;
    chain.push({ format: layer.format, encrypted: layer.encrypted });
  }
  return chain;
}

/** The content that the reference reads, if most of it can be read. */
function expectedOf({ image, judgement }: Asked, size: number, unit: number): Expected {
  if (judgement.qemu.open !== "accept") return {};
  const layers = layersOf(image);
  const length = image.layer?.virtualSize ?? size;
  const whole = contentOrError(layers, 0, size);
  if (!(whole instanceof AccessError)) return { expected: whole, length };
  const expected = new Uint8Array(size);
  const unreadable: { start: number; length: number }[] = [];
  for (let start = 0; start < size; start += unit) {
    const length = Math.min(unit, size - start);
    const bytes = contentOrError(layers, start, length);
    if (bytes instanceof AccessError) unreadable.push({ start, length });
    else expected.set(bytes, start);
    if (unreadable.length > UNREADABLE_MAX) return {};
  }
  return { expected, length, unreadable };
}

function refusal({ image: { findings } }: Asked): Ours<never> {
  const { rule, message } = findings.refusal("read") ?? {};
  return {
    outcome: "rejected",
    message: message ?? "The image does not open",
    ...(rule === undefined ? {} : { rule }),
  };
}

type Read = Examination & {
  readonly unit: number;
  readonly mapped: boolean;
  /** The content is as expected. */
  readonly same: boolean;
};

/** Allocation comes first: a read from the wrong place also gives other content. */
function compareExamination(asked: Asked, by: Omit<By, "question">, read: Read): Seen[] {
  const allocation = read.mapped ? allocationDifference(asked, read) : undefined;
  if (allocation !== undefined) return [seen(asked, { ...by, question: "allocation" }, allocation)];
  const content = read.same ? undefined : contentDifference(asked, read);
  return content === undefined ? [] : [seen(asked, { ...by, question: "content" }, content)];
}

/** Compares content unit by unit with what qemu-io has read. */
function contentDifference(
  { image }: Asked,
  { bytes, unreadable, unit }: Read,
): SeenDetails | undefined {
  const layers = layersOf(image);
  const broken = new Set(unreadable.map(({ start }) => start));
  for (let start = 0; start < bytes.length; start += unit) {
    const theirs = bytes.subarray(start, start + Math.min(unit, bytes.length - start));
    const ours = contentOrError(layers, start, theirs.length);
    const details = ours instanceof AccessError || broken.has(start)
      ? accessDifference(layers, start, { ours, broken: broken.has(start) })
      : byteDifference(layers, start, { ours, theirs });
    if (details !== undefined) return details;
  }
  return undefined;
}

function accessDifference(
  layers: readonly Layer[],
  start: number,
  { ours, broken }: { ours: Uint8Array | AccessError; broken: boolean },
): SeenDetails | undefined {
  const error = ours instanceof AccessError ? ours : undefined;
  if (broken === (error !== undefined)) return undefined;
  const said = error === undefined ? "readable" : `${error.broken.rule}: ${error.message}`;
  return {
    message: error === undefined
      ? `qemu-io cannot read at ${start}; the reference can`
      : `qemu-io reads at ${start}; the reference says ${error.message}`,
    outcome: broken ? "unreadable" : "accepted",
    observed: {
      cluster: whereIn(layers, start),
      ...(error === undefined ? {} : { ours: error.broken.rule }),
    },
    texts: [said, broken ? "input/output error" : "readable"],
    about: { guestOffset: start },
  };
}

function byteDifference(
  layers: readonly Layer[],
  start: number,
  { ours, theirs }: { ours: Uint8Array; theirs: Uint8Array },
): SeenDetails | undefined {
  const differs = firstDifference(ours, theirs);
  if (differs < 0) return undefined;
  const place = start + differs;
  const text = (bytes: Uint8Array): string => answerAt("", bytes, { start, place }).text;
  return {
    message: `content differs at ${place}`,
    outcome: "accepted",
    observed: { cluster: whereIn(layers, place) },
    texts: [text(ours), text(theirs)],
    about: { guestOffset: place },
  };
}

function contentOrError(
  layers: readonly Layer[],
  start: number,
  length: number,
): Uint8Array | AccessError {
  try {
    return readContent(layers, start, length);
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
}

type Allocation = Examination["map"][number];

/** Compares the allocation of the top layer with qemu-io's map. */
function allocationDifference({ image }: Asked, { map: theirs }: Read): SeenDetails | undefined {
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
  const differs = ours.findIndex((run, index) => text(run) !== text(theirs[index]));
  const index = differs < 0 && ours.length < theirs.length ? ours.length : differs;
  if (index < 0) return undefined;
  const [left, right] = [ours[index], theirs[index]];
  const place = placeOf(left, right);
  return {
    outcome: "accepted",
    message: `allocation differs at ${place}`,
    observed: { cluster: whereIn([layer], place) },
    texts: [text(left), text(right)],
    about: { guestOffset: place },
  };
}

/** Where two extents start to differ. */
function placeOf(left: Allocation | undefined, right: Allocation | undefined): number {
  if (left === undefined || right === undefined) return left?.start ?? right?.start ?? 0;
  if (left.start !== right.start || left.allocated !== right.allocated) return left.start;
  return left.start + Math.min(left.length, right.length);
}

function text(run: Allocation | undefined): string {
  if (run === undefined) return "nothing";
  const { start, length, allocated } = run;
  return `${length} bytes from ${start} ${allocated ? "allocated" : "unallocated"}`;
}
