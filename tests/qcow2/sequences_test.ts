/** Tables whose entries follow each other are handled together, except where one breaks the sequence. */

import { assertEquals, assertThrows } from "@std/assert";
import { type ByteSource, MemorySource, SourceError } from "../../src/bytes/mod.ts";
import { EntryTable, PageMemory } from "../../src/format/mod.ts";
import { openImage } from "../../src/image/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { liveTest } from "../live.ts";

const STEP = 65536n;
const COPIED = 1n << 63n;

function tableOf(entries: readonly bigint[]): MemorySource {
  const bytes = new Uint8Array(entries.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, entry] of entries.entries()) view.setBigUint64(index * 8, entry);
  return new MemorySource(bytes);
}

Deno.test("a sequence of entries ends at the first that is not the one before plus the step", () => {
  const first = COPIED | 0xffff0000n;
  const sound = Array.from({ length: 9000 }, (_, index) => first + STEP * BigInt(index));
  for (const broken of [1, 2, 70, 8191, 8192, 8999]) {
    for (const change of [1n, 1n << 32n, COPIED]) {
      const entries = sound.with(broken, (sound[broken] as bigint) ^ change);
      const table = new EntryTable(tableOf(entries), 0, entries.length);
      // Entries from 8192 on are read separately.
      const expected = broken < 8192 ? broken : 8192;
      assertEquals(table.sequence(0, Number(STEP), Infinity), expected);
    }
  }
});

Deno.test("an entry is found where the next data of the file is reported with a rounded offset", () => {
  const source: ByteSource = tableOf([0n, 7n]);
  source.nextData = (offset) => offset - 16;
  assertEquals(new EntryTable(source, 0, 2).nextNonZero(0), 1);
});

Deno.test("tables that share memory never see the entries of each other", () => {
  const memory = new PageMemory();
  const [a, b] = [11n, 22n].map((value) => new EntryTable(tableOf([value, value]), 0, 2, memory));
  assertEquals([a?.value(0), b?.value(0), a?.value(1), b?.value(1)], [11n, 22n, 11n, 22n]);
});

Deno.test("after a read that failed, a table reads its entries again", () => {
  const entries = Array.from({ length: 9000 }, (_, index) => BigInt(index) + 1n);
  const source = tableOf(entries);
  let fails = false;
  const failing: ByteSource = {
    size: source.size,
    read: (offset, length) => source.read(offset, length),
    readInto(offset, target) {
      if (fails) throw new SourceError("the disk is broken");
      source.readInto(offset, target);
    },
  };
  const table = new EntryTable(failing, 0, entries.length);
  assertEquals(table.value(3), 4n);
  fails = true;
  assertThrows(() => table.value(8999), SourceError);
  fails = false;
  assertEquals([table.value(3), table.value(8999)], [4n, 9000n]);
});

/** The second entry of a table of eight, and of the refcounts of their clusters. */
const CHANGES:
  readonly (readonly [what: string, of: "l2" | "refcount", (old: bigint) => bigint])[] = [
    ["the copied flag is clear", "l2", (old) => old & ~COPIED],
    ["an offset is that of the next cluster", "l2", (old) => old + STEP],
    ["an offset is past the end of the file", "l2", (old) => old + (1n << 40n)],
    ["an offset is not aligned", "l2", (old) => old + 512n],
    ["a reserved bit is set", "l2", (old) => old | 2n],
    ["a cluster is compressed", "l2", (old) => old | 1n << 62n],
    ["a cluster is unallocated", "l2", () => 0n],
    ["a cluster reads as zeros", "l2", (old) => old | 1n],
    ["a refcount is too high", "refcount", (old) => old + 1n],
    ["a refcount is too low", "refcount", (old) => old - 1n],
  ];

liveTest(
  { needs: ["qemu-img"] },
  "check counts what qemu-img check counts inside a sequence",
  async (directory) => {
    const path = `${directory}/disk.qcow2`;
    const create = ["create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", path, "512K"];
    await runTool(["qemu-img", ...create]);
    const sound = Deno.readFileSync(path);
    const view = new DataView(sound.buffer);
    const offsetAt = (at: number): number => Number(view.getBigUint64(at) & 0xfffffffffffe00n);
    const table = offsetAt(Number(view.getBigUint64(40)));
    const block = offsetAt(Number(view.getBigUint64(48)));
    const cluster = offsetAt(table + 8) / Number(STEP);
    for (const [what, of, change] of CHANGES) {
      const bytes = sound.slice();
      const changed = new DataView(bytes.buffer);
      if (of === "l2") changed.setBigUint64(table + 8, change(changed.getBigUint64(table + 8)));
      else {
        const at = block + 2 * cluster;
        changed.setUint16(at, Number(change(BigInt(changed.getUint16(at)))));
      }
      Deno.writeFileSync(path, bytes);
      const { stdout } = await runTool(["qemu-img", "check", "--output=json", path]);
      const theirs = JSON.parse(stdout);
      const image = openImage(path);
      const ours = image.layer?.check?.(new Findings());
      image.close();
      const counts = [
        ours?.corruptions,
        ours?.leaks,
        ours?.allocatedClusters,
        ours?.fragmentedClusters,
        ours?.imageEndOffset,
      ];
      const expected = [
        theirs.corruptions ?? 0,
        theirs.leaks ?? 0,
        theirs["allocated-clusters"] ?? 0,
        theirs["fragmented-clusters"] ?? 0,
        theirs["image-end-offset"],
      ];
      assertEquals(counts, expected, what);
    }
  },
);
