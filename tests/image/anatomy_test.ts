import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Anatomy, fileBytes, Marks } from "../../src/format/mod.ts";
import { anatomyOf, detect, judgeImage, openBytes } from "../../src/image/mod.ts";
import { formatNames } from "../../src/formats.ts";
import {
  type ImageRecord,
  readRecord,
  readRecordFiles,
  recordNames,
} from "../../src/recorded/mod.ts";
import { buildQcow1 } from "../../src/qcow1/mod.ts";
import { decodeQcow2 } from "../../src/qcow2/decode.ts";
import { refcountAt } from "../../src/qcow2/check/refcounts.ts";
import { inspectionLines, stretchesOf } from "../../src/report/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;
const CORPUS = new URL("../../corpus/images", import.meta.url).pathname;
const EVERYTHING = { rows: Infinity, tables: Infinity, entries: 2 ** 24, marks: new Marks([]) };
const SIZE_MAX = 4 * 2 ** 20;

function subjectOf(record: ImageRecord, folder = IMAGES): MemorySource {
  const at = record.files.findIndex(({ name }) => name === record.subject);
  return new MemorySource(readRecordFiles(folder, record)[at] ?? new Uint8Array());
}

/** Golden images of which no version of qemu-img says that anything is wrong. */
function soundImages(): ImageRecord[] {
  return recordNames(IMAGES).map((name) => readRecord(IMAGES, name)).filter((record) => {
    const small = record.files.some(({ name, size }) => name === record.subject && size < SIZE_MAX);
    const checks = Object.values(record.answers).map(({ check }) => check);
    return small &&
      checks.every((check) => "exitCode" in check && [0, 63].includes(check.exitCode));
  });
}

/** Numbers of the host clusters that anything claims. */
function claimedClusters(anatomy: Anatomy, size: number, clusterSize: number): number[] {
  const claimed = new Set<number>();
  for (const { kind, offset, length } of stretchesOf(anatomy.claims, size)) {
    if (kind === "unused") continue;
    const end = Math.ceil((offset + length) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at < end; at++) claimed.add(at);
  }
  return [...claimed].sort((a, b) => a - b);
}

/** Numbers of the host clusters with a refcount, straight from the blocks. */
function countedClusters(source: MemorySource): number[] {
  const { header, geometry } = decodeQcow2(source);
  if (geometry === undefined) return [];
  const { clusterSize, refblockEntries, refcountBits, tableEntries } = geometry;
  const table = new DataView(
    source.read(Number(header.refcount_table_offset), header.refcount_table_clusters * clusterSize)
      .slice().buffer,
  );
  const counted = [];
  for (let i = 0; i < header.refcount_table_clusters * tableEntries; i++) {
    const offset = Number(table.getBigUint64(8 * i));
    if (offset === 0) continue;
    const block = source.read(offset, clusterSize);
    for (let k = 0; k < refblockEntries; k++) {
      if (refcountAt(block, k, refcountBits) > 0) counted.push(i * refblockEntries + k);
    }
  }
  return counted;
}

Deno.test("what an image without leaks and corruptions claims is what its refcounts say", () => {
  let count = 0;
  for (const record of soundImages()) {
    const source = subjectOf(record);
    const { format, definition } = openBytes(source);
    const anatomy = anatomyOf({ definition, source }, EVERYTHING);
    assertEquals([anatomy.complete, anatomy.gaps], [true, []], record.name);
    const stretches = stretchesOf(anatomy.claims, source.size);
    assert(stretches.every(({ kind }) => kind !== "conflict"), record.name);
    if (format !== "qcow2") continue;
    const { geometry } = decodeQcow2(source);
    const claimed = claimedClusters(anatomy, source.size, geometry?.clusterSize ?? 1);
    assertEquals(claimed, countedClusters(source), record.name);
    count++;
  }
  assert(count > 50);
});

Deno.test("an anatomy lists every byte of a structure once, in rows that do not overlap", () => {
  for (const record of soundImages()) {
    const source = subjectOf(record);
    for (const part of anatomyOf(openBytes(source), EVERYTHING).parts) {
      let end = part.offset;
      for (const row of part.rows) {
        // Refcounts of less than a byte share one.
        const shared = part.path.startsWith("/refblock") ? 1 : 0;
        assert(row.offset >= end - shared, `${record.name} ${row.path}`);
        end = row.offset + row.length;
      }
      assert(end <= part.offset + part.length, `${record.name} ${part.path}`);
    }
  }
});

/** The same numbers in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state / 2 ** 32;
  }
}

Deno.test("an image with any bytes changed has an anatomy, and no finding is lost", () => {
  const draws = numbers(1);
  const below = (limit: number) => Math.floor((draws.next().value as number) * limit);
  const records = soundImages();
  for (let round = 0; round < 300; round++) {
    const bytes = subjectOf(records[below(records.length)] as ImageRecord);
    const changed = bytes.read(0, bytes.size).slice();
    for (let edits = below(6); edits >= 0; edits--) {
      const at = below(2) === 0 ? below(112) : below(changed.length);
      if (at < changed.length) changed[at] = below(256);
    }
    const source = new MemorySource(changed);
    const image = openBytes(source);
    const { findings } = judgeImage(image);
    const offsets = findings.flatMap(({ offset }) => typeof offset === "number" ? [offset] : []);
    const bounds = { rows: 8, tables: 4, entries: 2 ** 20, marks: new Marks(offsets) };
    const anatomy = anatomyOf(image, bounds);
    const inspection = { source, anatomy, notes: findings, stretches: 16 };
    const text = [...inspectionLines(inspection)].join("\n");
    for (const { rule } of findings) assert(text.includes(`(${rule})`), rule);
  }
});

/** The range that a line of the text is about; the lines of rows are indented. */
function rangeOf(line: string): [number, number] | undefined {
  const heading = /^(0x[\da-f]+) {2}\/.*, (\d+) bytes(?:, past the end of the file)?$/.exec(line);
  const [, offset, length] = heading ?? /^(0x[\da-f]+) {2}[^,]*, (\d+) bytes/.exec(line) ?? [];
  return offset === undefined ? undefined : [Number(offset), Number(offset) + Number(length)];
}

/** The first byte that no range covers, up to the size. */
function firstUncovered(ranges: readonly (readonly [number, number])[], size: number): number {
  let end = 0;
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    if (from > end) break;
    end = Math.max(end, to);
  }
  return Math.min(end, size);
}

Deno.test("every byte of a file is in a row of its inspection, in text and in JSON", () => {
  const all = [IMAGES, CORPUS].flatMap((folder) =>
    recordNames(folder).map((name) => ({ folder, record: readRecord(folder, name) }))
  );
  const formats = new Set<string>();
  for (const { folder, record } of all) {
    const { size = Infinity } = record.files.find(({ name }) => name === record.subject) ?? {};
    if (size > SIZE_MAX) continue;
    const source = subjectOf(record, folder);
    const definition = detect(source);
    formats.add(definition.name);
    const anatomy = anatomyOf({ definition, source }, EVERYTHING);
    const json = stretchesOf(anatomy.claims, source.size)
      .map(({ offset, length }) => [offset, offset + length] as const);
    assertEquals(firstUncovered(json, source.size), source.size, `${record.name} in JSON`);
    const inspection = { source, anatomy, notes: [], stretches: Infinity };
    const text = [...inspectionLines(inspection)].flatMap((line) => {
      const range = rangeOf(line);
      return range === undefined ? [] : [range];
    });
    assertEquals(firstUncovered(text, source.size), source.size, `${record.name} in text`);
  }
  for (const name of formatNames) assert(formats.has(name), name);
});

Deno.test("inspect finds what the L1 table of qcow names for the rest of a sector", () => {
  const placement = {
    seed: 0,
    holes: [],
    l1Skew: 0,
    l2Skews: [],
    clusterSkews: [],
    cutTail: false,
  };
  const geometry = { clusterBits: 9, l2Bits: 6, mtime: 0, padding: 0 };
  // The 65th cluster has an L1 entry, and no guest sees a part of a sector.
  const size = 64n * 512n + 100n;
  const clusters = [{ index: 64, kind: "data", pattern: { kind: "fill", seed: 1 } }] as const;
  const image = buildQcow1({ format: "qcow", ...geometry, size, clusters, placement });
  const { claims } = anatomyOf(openBytes(new MemorySource(fileBytes(image))), EVERYTHING);
  const kinds = new Set([...claims].map(({ kind }) => kind));
  assertEquals(kinds, new Set(["header", "table", "data"]));
});
