import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import type { Damage, DamageSummary } from "../../src/format/mod.ts";
import { damageIn, openBytes } from "../../src/image/mod.ts";
import { decodeQcow2 } from "../../src/qcow2/decode.ts";
import { readRecord, readRecordFiles, recordNames } from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;
const SIZE_MAX = 2 ** 22;

/** A golden image, with where its tables are. */
interface Golden {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly clusterSize: number;
  /** Guest bytes of one L2 table. */
  readonly coverage: number;
  readonly size: number;
  readonly l1: { readonly offset: number; readonly tables: readonly number[] };
  readonly refblocks: readonly number[];
}

function u64(bytes: Uint8Array, offset: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset);
}

const DATA_FILE = 4n;
const BITMAPS = 0x23852875;
const OFFSET = 0x00fffffffffffe00n;

function tableOf(bytes: Uint8Array, offset: number, entries: number): number[] {
  return Array.from({ length: entries }, (_, i) => Number(u64(bytes, offset + 8 * i) & OFFSET));
}

/** Golden images without snapshots, bitmaps and other files, of which qemu-img says that they are sound. */
function* golden(): Generator<Golden> {
  for (const name of recordNames(IMAGES)) {
    const record = readRecord(IMAGES, name);
    const at = record.files.findIndex((file) => file.name === record.subject);
    if ((record.files[at]?.size ?? Infinity) > SIZE_MAX) continue;
    const isSound = Object.values(record.answers).every(({ check }) =>
      "exitCode" in check && check.exitCode === 0
    );
    const bytes = readRecordFiles(IMAGES, record)[at];
    if (!isSound || bytes === undefined) continue;
    const { header, geometry, extensions } = decodeQcow2(new MemorySource(bytes));
    if (header.magic !== 0x514649fb || geometry === undefined || header.nb_snapshots > 0) continue;
    const isAlone = (header.incompatible_features & DATA_FILE) === 0n;
    if (!isAlone || extensions.findIndex(({ type }) => type === BITMAPS) >= 0) continue;
    const refs = header.refcount_table_clusters * geometry.tableEntries;
    const { clusterSize, l2Coverage: coverage } = geometry;
    yield {
      ...{ name, bytes, clusterSize, coverage, size: Number(header.size) },
      l1: {
        offset: Number(header.l1_table_offset),
        tables: tableOf(bytes, Number(header.l1_table_offset), header.l1_size),
      },
      refblocks: tableOf(bytes, Number(header.refcount_table_offset), refs)
        .filter((offset) => offset !== 0),
    };
  }
}

function damageOf(bytes: Uint8Array): DamageSummary | undefined {
  return damageIn(openBytes(new MemorySource(bytes), "qcow2"));
}

function only(summary: DamageSummary | undefined, name: string): Damage {
  const [first, ...others] = summary?.causes ?? [];
  assert(first !== undefined, name);
  assertEquals(others, [], name);
  return first;
}

/** The guest clusters of a run of data that is at these offsets of the file, by the sound image. */
function guestAt(
  { bytes, clusterSize, size }: Golden,
  isThere: (host: number) => boolean,
): Set<number> {
  const found = new Set<number>();
  const runs = openBytes(new MemorySource(bytes), "qcow2").layer?.runs(0, size) ?? [];
  for (const { start, length, kind, host } of runs) {
    if (kind !== "data" || host === undefined) continue;
    for (let at = 0; at < length; at++) {
      if (isThere(host + at)) found.add(Math.floor((start + at) / clusterSize));
      at += 511;
    }
  }
  return found;
}

/** The L1 entries whose tables lead to data, with the offsets of these. */
function tablesWithData(image: Golden): [number, number][] {
  const { clusterSize, coverage, l1 } = image;
  const guest = [...guestAt(image, () => true)];
  const used = new Set(guest.map((at) => Math.floor(at * clusterSize / coverage)));
  return [...used].map((index) => [index, l1.tables[index] ?? 0]);
}

function clustersIn({ guest }: Damage, clusterSize: number): number[] {
  return (guest?.listed ?? []).flatMap(({ offset, length }) =>
    Array.from(
      { length: Math.ceil(length / clusterSize) },
      (_, i) => offset / clusterSize + i,
    )
  );
}

function edited({ bytes }: Golden, offset: number, length: number): Uint8Array {
  return new Uint8Array(bytes).fill(0, offset, offset + length);
}

const hex = (offset: number): string => `0x${offset.toString(16)}`;

Deno.test("sound golden images are not damaged", () => {
  let count = 0;
  for (const { name, bytes } of golden()) {
    assertEquals(damageOf(bytes), undefined, name);
    count++;
  }
  assert(count > 50, `${count}`);
});

Deno.test("the damage of a truncated image is what was past its new end", () => {
  let count = 0;
  for (const image of golden()) {
    const { name, bytes, clusterSize, l1 } = image;
    const data = guestAt(image, () => true);
    // Behind the last table: what is cut off is data alone.
    const tables = [l1.offset, ...l1.tables.filter((table) => table !== 0), ...image.refblocks];
    const last = Math.max(...tables) + clusterSize;
    const end = last + Math.ceil((bytes.length - last) / clusterSize / 2) * clusterSize;
    if (last >= bytes.length || data.size === 0) continue;
    const lost = guestAt(image, (host) => host >= end);
    const isCompressed = openBytes(new MemorySource(bytes), "qcow2").layer?.runs(0, image.size);
    if (lost.size === 0 || [...isCompressed ?? []].some(({ kind }) => kind === "compressed")) {
      continue;
    }
    if (guestAt(image, (host) => host < end).intersection(lost).size > 0) continue;
    const damage = only(damageOf(bytes.subarray(0, end)), name);
    assertEquals(damage.cause, "truncated", name);
    assertStringIncludes(damage.message, `The file ends at ${hex(end)}`, name);
    assertEquals(
      new Set(clustersIn(damage, clusterSize)),
      new Set([...lost].sort((a, b) => a - b)),
      name,
    );
    count++;
  }
  assert(count > 20, `${count}`);
});

Deno.test("the damage of an image with an L2 table of zeros is that table and its guest range", () => {
  let count = 0;
  for (const image of golden()) {
    for (const [index, offset] of tablesWithData(image)) {
      const { name, clusterSize, coverage, size } = image;
      const range = [index * coverage, Math.min(size, (index + 1) * coverage)] as const;
      const damage = only(damageOf(edited(image, offset, clusterSize)), name);
      assertEquals(damage.cause, "l2-table-empty", name);
      assertStringIncludes(damage.message, `The L2 table at ${hex(offset)} `, name);
      assertEquals(damage.guest?.listed, [{ offset: range[0], length: range[1] - range[0] }], name);
      count++;
    }
  }
  assert(count > 40, `${count}`);
});

Deno.test("the damage of an image without an L1 entry is the table that it led to", () => {
  let count = 0;
  for (const image of golden()) {
    const { name, l1, coverage, size } = image;
    for (const [index, offset] of tablesWithData(image)) {
      const damage = only(damageOf(edited(image, l1.offset + 8 * index, 8)), name);
      assertEquals(damage.cause, "l2-table-lost", name);
      assertStringIncludes(damage.message, `the L2 table at ${hex(offset)}`, name);
      const range = {
        offset: index * coverage,
        length: Math.min(coverage, size - index * coverage),
      };
      if (
        l1.tables.slice(0, Math.ceil(size / coverage)).filter((table) => table === 0).length === 0
      ) {
        assertEquals(damage.guest?.listed, [range], name);
      } else {
        assert(
          damage.guest?.listed.some(({ offset: from, length }) =>
            from <= range.offset && from + length >= range.offset + range.length
          ),
          name,
        );
      }
      count++;
    }
  }
  assert(count > 40, `${count}`);
});

Deno.test("an image with a refcount block of zeros has lost no content", () => {
  let count = 0;
  for (const image of golden()) {
    const { name, clusterSize, refblocks } = image;
    for (const offset of refblocks) {
      const summary = damageOf(edited(image, offset, clusterSize));
      if (summary === undefined) continue;
      const damage = only(summary, name);
      assertEquals([damage.cause, damage.guest, summary.affected], [
        "refcount-blocks",
        undefined,
        0,
      ], name);
      count++;
    }
  }
  assert(count > 50, `${count}`);
});
