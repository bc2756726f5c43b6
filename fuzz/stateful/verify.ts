import { isZero } from "../../src/bytes/mod.ts";
import type { BitmapSummary, Layer } from "../../src/format/mod.ts";
import {
  extentsOf,
  judgeImage,
  layersOf,
  mapEntries,
  type OpenedImage,
  readContent,
} from "../../src/image/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { answerAt, firstDifference, whereIn } from "../compare/mod.ts";
import { Failure } from "../engine/mod.ts";
import { merged, type Range } from "../generate/mod.ts";
import { adopt, type Disk } from "./disk.ts";
import type { Bitmap, State } from "./state.ts";

/** Content is compared in pieces of this many bytes. */
export const CHUNK = 2 ** 18;

/** What is allowed of an image besides. */
export interface Allowance {
  /** Leaked clusters that it had from the start. */
  readonly leaks: number;
  /** Zeros in an encrypted raw data file may be stored without encryption, as QEMU stores them. */
  readonly plainZeros?: boolean;
}

/**
 * Compares an image with what is expected of it: structure, content, snapshots and bitmaps.
 *
 * @param by the writer of the image, for signatures
 * @throws {Failure} if something differs
 */
export function verify(image: OpenedImage, state: State, by: string, allowed: Allowance): void {
  verifyStructure(image, state, by, allowed);
  const layers = layersOf(image);
  const size = layers[0]?.virtualSize ?? 0;
  if (size !== state.disk.size) {
    throw new Failure(`${by}.size`, `The disk has ${size} bytes, not ${state.disk.size}`);
  }
  verifyDisk(layers, state.disk, { by, what: "content" });
  verifyMap(image, state, by);
  verifyRawFile(image, state, { by, ...allowed });
  verifySnapshots(layers, state, by);
  verifyBitmaps(layers[0]?.bitmaps ?? [], state, by);
}

function verifyStructure(
  image: OpenedImage,
  { facts: { forQemu } }: State,
  by: string,
  { leaks }: Allowance,
): void {
  const { findings, qemu } = judgeImage(image);
  const broken = findings.find(({ rule }) => {
    const { class: ruleClass, level } = ruleOf(rule);
    return ruleClass === "spec" && level === "must";
  });
  if (broken !== undefined) {
    const { rule, path, offset, message } = broken;
    throw new Failure(`${by}.${rule}`, `${path}: ${message}`, {
      about: { path, ...(typeof offset === "number" ? { offset } : {}) },
    });
  }
  if (forQemu && (qemu.open !== "accept" || qemu.read !== "ok")) {
    const refusal = image.findings.refusal("read") ?? findings[0];
    const rule = refusal?.rule ?? "content";
    throw new Failure(`${by}.unreadable.${rule}`, refusal?.message ?? `Reading: ${qemu.read}`);
  }
  const { check } = qemu;
  if (check === null) return;
  if (check.corruptions + check["check-errors"] > 0) {
    throw new Failure(`${by}.corruptions`, `check finds ${check.corruptions} corruptions`);
  }
  if (check.leaks > leaks) {
    throw new Failure(`${by}.leaks`, `check finds ${check.leaks} leaked clusters, not ${leaks}`);
  }
}

/**
 * Compares content wherever the image has data or content is expected.
 *
 * @throws {Failure} if it differs
 */
export function verifyDisk(
  layers: readonly Layer[],
  disk: Disk,
  { by, what }: { by: string; what: string },
): void {
  for (const { start, end: to } of placesToRead(layers, disk)) {
    for (let at = start; at < to; at += CHUNK) {
      const length = Math.min(CHUNK, to - at);
      verifyPart(layers, { disk, at, length, by, what });
    }
  }
}

/** Where layers store something, or a disk has content. */
export function placesToRead(
  layers: readonly Layer[],
  disk: Disk,
  size: number = disk.size,
): Range[] {
  const stored: Range[] = [];
  for (const { zero, start, length } of extentsOf(layers, 0, size)) {
    if (!zero) stored.push({ start, end: start + length });
  }
  return merged([...stored, ...disk.ranges()], size);
}

function verifyPart(
  layers: readonly Layer[],
  { disk, at, length, by, what }: {
    disk: Disk;
    at: number;
    length: number;
    by: string;
    what: string;
  },
): void {
  const expected = disk.read(at, length);
  const found = readContent(layers, at, length);
  adopt(disk, { start: at, bytes: expected, found });
  const differs = firstDifference(found, expected);
  if (differs < 0) return;
  const place = at + differs;
  throw new Failure(
    `${by}.${what}.${whereIn(layers, place)}`,
    `${what} differs from the model at ${place}`,
    {
      answers: [
        answerAt(by, found, { start: at, place }),
        answerAt("model", expected, { start: at, place }),
      ],
      about: { guestOffset: place },
    },
  );
}

/** A map covers the disk in order. */
function verifyMap(image: OpenedImage, { disk }: State, by: string): void {
  if (disk.size === 0) return;
  let next = 0;
  for (const { start, length } of mapEntries(image)) {
    if (start !== next || length <= 0) {
      throw new Failure(`${by}.map`, `The map continues at ${start}, not at ${next}`);
    }
    next = start + length;
  }
  if (next !== disk.size) throw new Failure(`${by}.map`, `The map ends at ${next}`);
}

/** A raw data file contains the disk, also where the tables say zeros. */
function verifyRawFile(
  { layer }: OpenedImage,
  { disk, facts: { encrypted } }: State,
  { by, plainZeros = false }: Pick<Allowance, "plainZeros"> & { readonly by: string },
): void {
  if (layer?.info()["format-specific"]?.data["data-file-raw"] !== true) return;
  if (encrypted && plainZeros) return;
  for (const { start, end } of disk.zeroed()) {
    for (const { kind, start: at, length } of layer.runs(start, end)) {
      if (kind !== "zero") continue;
      for (let from = 0; from < length; from += CHUNK) {
        const stored = new Uint8Array(Math.min(length - from, CHUNK));
        layer.readRun({ kind: "data", start: at, length, host: at }, from, stored);
        if (isZero(stored)) continue;
        const place = at + from + stored.findIndex((byte) => byte !== 0);
        throw new Failure(
          `${by}.raw-data-file`,
          `The tables say zeros at ${place}, and the raw data file has other bytes there`,
          { about: { guestOffset: place } },
        );
      }
    }
  }
}

/** A snapshot is read with the size of the disk; what both have is compared. */
function verifySnapshots(layers: readonly Layer[], { disk, snapshots }: State, by: string): void {
  const [top, ...below] = layers;
  const found = top?.snapshots ?? [];
  if (found.length !== snapshots.length) {
    const names = found.map(({ name }) => name).join(", ");
    throw new Failure(`${by}.snapshots`, `There are ${found.length} snapshots: ${names}`);
  }
  for (const { name, id, disk: kept } of snapshots) {
    const entry = found.find((it) => it.name === name && (id === undefined || it.id === id));
    const layer = entry && top?.snapshot?.(entry.id);
    if (entry === undefined || layer === undefined) {
      throw new Failure(`${by}.snapshots`, `There is no snapshot ${name}`);
    }
    if (entry.virtualSize !== kept.size) {
      throw new Failure(`${by}.snapshot-size`, `Snapshot ${name} has ${entry.virtualSize} bytes`);
    }
    const end = Math.min(disk.size, kept.size);
    verifyDisk([layer, ...below], kept.resized(end), { by, what: "snapshot" });
  }
}

function verifyBitmaps(
  found: readonly BitmapSummary[],
  { disk: { size }, bitmaps }: State,
  by: string,
): void {
  const text = (lines: readonly string[]) => [...lines].sort().join("\n");
  const ours = text(found.map((bitmap) => {
    const { name, granularity, auto: enabled, inUse } = bitmap;
    const read = inUse ? [] : [...bitmap.ranges()];
    const marks = merged(read.map(({ start, length }) => ({ start, end: start + length })), size);
    const expected = bitmaps.find((it) => it.name === name);
    const shown = expected !== undefined && isBetween(marks, expected, size)
      ? expected.marks
      : marks;
    return bitmapText({ name, granularity, enabled, inUse, marks: shown });
  }));
  const expected = text(bitmaps.map(bitmapText));
  if (ours === expected) return;
  throw new Failure(`${by}.bitmaps`, "The bitmaps differ from the model", {
    answers: [{ by, text: ours }, { by: "model", text: expected }],
  });
}

/** Whether all bits are set that must be, and none that must not be. */
function isBetween(found: readonly Range[], { marks, maybe }: Bitmap, size: number): boolean {
  const same = (one: readonly Range[], other: readonly Range[]) =>
    JSON.stringify(merged(one, size)) === JSON.stringify(merged(other, size));
  return same(found, [...found, ...marks]) &&
    same([...marks, ...maybe], [...found, ...marks, ...maybe]);
}

function bitmapText(
  { name, granularity, enabled, inUse, marks }: Omit<Bitmap, "maybe">,
): string {
  const bits = marks.map(({ start, end }) => `${start}-${end}`).join(" ");
  const flags = `${enabled ? " enabled" : ""}${inUse ? " not saved" : ` [${bits}]`}`;
  return `${name}: granularity ${granularity}${flags}`;
}
