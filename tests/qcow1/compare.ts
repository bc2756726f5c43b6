/**
 * Compares the reference's answers about a qcow image without its backing file with the installed
 * qemu-img.
 */

import type { ByteSource } from "../../src/bytes/mod.ts";
import { AccessError, imageText, type Layer, nameBytes } from "../../src/format/mod.ts";
import { compareMap } from "../../src/peers/mod.ts";
import { qcow1Driver } from "../../src/qcow1/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { infoOf, mapOf, probedFormat, readOf, writeImage } from "./live.ts";
import { type Opened, openQcow, predictMap, readGuest } from "./ours.ts";

/** Guest clusters of the largest image that qemu-img is asked to map: it looks at each. */
const MAP_MAX = 2 ** 21;
/** Bytes of the largest image that is converted as a whole. */
const CONVERT_MAX = 2 ** 23;
/** Stored clusters that are read one by one, each in a process of its own. */
const READS_MAX = 12;

/** An image in a file, and the qemu-img that looks at it. */
export interface Subject {
  readonly path: string;
  readonly version: string;
}

/** Where the two differ, in words; nothing when they agree. */
export async function differences(source: ByteSource, subject: Subject): Promise<string[]> {
  await writeImage(subject.path, source);
  const opened = openQcow(source);
  return [
    ...await probeDifferences(source, subject),
    ...await infoDifferences(opened, subject),
    ...await mapDifferences(opened, subject),
    ...await contentDifferences(opened, subject),
  ];
}

async function probeDifferences(source: ByteSource, { path }: Subject): Promise<string[]> {
  const ours = source.size > 0 && qcow1Driver.probe(source.read(0, 512));
  const format = await probedFormat(path);
  // A rejected image was probed, but the output does not show the format.
  if (format === undefined || ours === (format === "qcow")) return [];
  return [`probe: ours ${ours}, qemu-img ${format}`];
}

async function infoDifferences(opened: Opened, { path }: Subject): Promise<string[]> {
  const report = await infoOf(path);
  const refusal = opened.findings.refusal("info");
  if (report === undefined || refusal !== undefined) {
    return (report === undefined) === (refusal !== undefined)
      ? []
      : [`info: ours refuses for ${refusal?.rule}, qemu-img for ${report ?? "a reason"}`];
  }
  const layer = opened.layer as Layer;
  const name = layer.backing?.name;
  const ours = {
    "virtual-size": layer.virtualSize,
    // The bytes of the name as qemu-img prints them.
    "backing-filename": name === undefined ? undefined : imageText(nameBytes(name)),
    ...layer.info(),
  };
  const keys = ["virtual-size", "cluster-size", "dirty-flag", "encrypted", "backing-filename"];
  return keys.filter((key) => ours[key as keyof typeof ours] !== report[key]).map((key) =>
    `info: ${key} is ours ${ours[key as keyof typeof ours]}, qemu-img ${report[key]}`
  );
}

/** Whether a walk over all clusters takes qemu-img a reasonable time. */
function isSmall(layer: Layer): boolean {
  return layer.virtualSize / layer.clusterSize <= MAP_MAX;
}

async function mapDifferences({ findings, layer }: Opened, subject: Subject): Promise<string[]> {
  const refusal = findings.refusal("read");
  if (refusal === undefined && !isSmall(layer as Layer)) return [];
  const theirs = await mapOf(subject.path);
  if (refusal !== undefined) {
    return theirs.code === 0 ? [`map: ours refuses for ${refusal.rule}, qemu-img maps`] : [];
  }
  const ours = predictMap(layer as Layer, subject.version);
  if (ours.fails !== (theirs.code !== 0)) {
    return [`map: ours ${ours.fails ? "fails" : "works"}, qemu-img ends with ${theirs.code}`];
  }
  return compareMap(ours.entries, theirs.entries, subject).map(({ path, left, right }) =>
    `map: at ${path} ours ${JSON.stringify(left)}, qemu-img ${JSON.stringify(right)}`
  );
}

/** A stored cluster: a range of guest bytes, and what the reference reads there. */
interface Stored {
  readonly offset: number;
  readonly length: number;
  readonly content: Uint8Array | AccessError;
}

async function contentDifferences(opened: Opened, subject: Subject): Promise<string[]> {
  const { layer, all, findings } = opened;
  if (layer === undefined || findings.refusal("read") !== undefined) return [];
  const stored = [...storedClusters(layer)];
  const bad = stored.filter(({ content }) => content instanceof AccessError);
  const judged = all.rules().some((rule) => ruleOf(rule).effect === "fails-at-access");
  const wrong = judged === bad.length > 0 ? [] : [`judge: ${judged}, but ${bad.length} fail`];
  const whole = { offset: 0, length: layer.virtualSize };
  if (bad.length === 0 && whole.length <= CONVERT_MAX && whole.length > 0) {
    wrong.push(...await readDifferences({ ...whole, content: readGuest(layer, whole) }, subject));
  } else {
    const good = stored.filter(({ content }) => !(content instanceof AccessError));
    for (const cluster of [...spread(bad), ...spread(good)]) {
      wrong.push(...await readDifferences(cluster, subject));
    }
  }
  return wrong;
}

/** As many as are read one by one, evenly chosen. */
function spread(clusters: readonly Stored[]): Stored[] {
  const step = Math.ceil(clusters.length / READS_MAX);
  return clusters.filter((_, index) => index % step === 0);
}

function* storedClusters(layer: Layer): Generator<Stored> {
  const { clusterSize } = layer;
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.kind === "unallocated") continue;
    const step = run.broken === undefined ? clusterSize : run.length;
    for (let at = 0; at < run.length; at += step) {
      const offset = run.start + at;
      const length = Math.min(clusterSize, run.length - at);
      yield { offset, length, content: readGuest(layer, { offset, length }) };
    }
  }
}

async function readDifferences(
  { offset, length, content }: Stored,
  { path }: Subject,
): Promise<string[]> {
  const theirs = await readOf(path, { offset, length });
  if (content instanceof AccessError || theirs === undefined) {
    return (content instanceof AccessError) === (theirs === undefined)
      ? []
      : [`read at ${offset}: ours ${text(content)}, qemu-img ${text(theirs)}`];
  }
  const at = content.findIndex((byte, index) => byte !== theirs[index]);
  return at < 0 && content.length === theirs.length
    ? []
    : [`read at ${offset}: byte ${at} is ours ${content[at]}, qemu-img's ${theirs[at]}`];
}

function text(content: Uint8Array | AccessError | undefined): string {
  if (content instanceof AccessError) return `fails for ${content.broken.rule}`;
  return content === undefined ? "fails" : `reads ${content.length} bytes`;
}
