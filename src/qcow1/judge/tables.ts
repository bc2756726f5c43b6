import { hex } from "../../bytes/mod.ts";
import { decompressionBudget } from "../../codec/mod.ts";
import { WordSet } from "../../format/mod.ts";
import { type Context, judgeOf } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { compressedExtent, type Entry, kindOf, offsetOf, valueOf } from "../entry.ts";
import { dataFault, decompressEntry, l1Place, l2Place, tableFault } from "./entries.ts";
import { l1Bytes } from "../geometry.ts";
import type { Qcow1Image } from "../image.ts";
import { type Interval, IntervalSet } from "../intervals.ts";
import { type Findings, inHeader, must } from "../findings.ts";
import { l1Entry, l2Entry } from "../structures.ts";

/** A table that an L1 entry points to. */
interface Table {
  readonly l1Index: number;
  readonly entry: Entry;
}

/**
 * Judges every table entry that a guest can reach, and decompresses every compressed cluster. Entries
 * past the virtual size are ignored.
 *
 * An image can let any number of L1 entries point to overlapping tables. Each stored entry is judged
 * once for all of them, so that the cost is bounded by the length of the file.
 */
export function judgeTables(image: Qcow1Image, findings: Findings): void {
  new TableJudge(image, findings).judge();
}

class TableJudge {
  readonly #image: Qcow1Image;
  readonly #findings: Findings;
  readonly #judging: { readonly context: Context; readonly findings: Findings };
  /** What has been judged of the file, as numbers of entries, by the rest of their offset. */
  readonly #judged = Array.from({ length: l2Entry.size }, () => new IntervalSet());
  readonly #decompressed = new WordSet();
  /** Bytes that may still be decompressed. */
  #budget: number;

  constructor(image: Qcow1Image, findings: Findings) {
    this.#image = image;
    this.#findings = findings;
    this.#judging = { context: { "cluster size": image.geometry.clusterSize }, findings };
    this.#budget = decompressionBudget(image.source);
  }

  judge(): void {
    const { l1, l1Offset } = this.#image;
    const extent = { offset: Number(l1Offset), length: l1Bytes(l1.length) };
    this.#mustBeStored("The L1 table", inHeader("l1_table_offset"), extent);
    for (let index = l1.nextNonZero(0, l1.length); index < l1.length;) {
      this.#judgeL1Entry(index, l1.entry(index));
      index = l1.nextNonZero(index + 1, l1.length);
    }
  }

  #judgeL1Entry(l1Index: number, entry: Entry): void {
    const image = this.#image;
    const fault = tableFault(image, entry, l1Index);
    if (fault !== undefined) {
      this.#findings.add(fault.rule, fault.place, fault.message);
      return;
    }
    const offset = offsetOf(entry);
    if (entry.low % image.geometry.clusterSize !== 0) {
      judgeOf(l1Entry, { l1_entry: valueOf(entry) }, {
        ...this.#judging,
        place: () => l1Place(image, l1Index),
      })("qcow1.l2.alignment");
    }
    this.#mustBeStored("An L2 table", l1Place(image, l1Index), {
      offset,
      length: image.geometry.l2Size,
    });
    for (const part of this.#unjudged(offset, this.#visible(l1Index))) {
      this.#judgeEntries({ l1Index, entry }, part);
    }
  }

  /** Entries of the table of an L1 entry that a guest can reach. */
  #visible(l1Index: number): number {
    const { virtualSize, geometry } = this.#image;
    const rest = virtualSize - l1Index * geometry.l2Coverage;
    return Math.min(geometry.l2Entries, Math.ceil(rest / geometry.clusterSize));
  }

  /** The first `count` entries of the table at an offset, without those that have been judged. */
  #unjudged(offset: number, count: number): Interval[] {
    const rest = offset % l2Entry.size;
    const first = (offset - rest) / l2Entry.size;
    const stored = Math.ceil((this.#image.source.size - offset) / l2Entry.size);
    const last = first + Math.min(count, Math.max(0, stored));
    const judged = this.#judged[rest] as IntervalSet;
    return judged.add({ from: first, to: last }).map(({ from, to }) => ({
      from: from - first,
      to: to - first,
    }));
  }

  #judgeEntries(table: Table, { from, to }: Interval): void {
    const entries = this.#image.l2(table.entry);
    for (let index = entries.nextNonZero(from, to); index < to;) {
      const entry = entries.entry(index);
      const place = () => l2Place(table.l1Index, table.entry, index);
      if (kindOf(entry) === "compressed") this.#judgeCompressed(entry, place);
      else this.#judgeData(entry, { place, end: this.#clusterEnd(table.l1Index, index) });
      index = entries.nextNonZero(index + 1, to);
    }
  }

  /** The last byte of a cluster that a guest can reach, plus one, from the start of the cluster. */
  #clusterEnd(l1Index: number, index: number): number {
    const { virtualSize, geometry } = this.#image;
    const start = l1Index * geometry.l2Coverage + index * geometry.clusterSize;
    return Math.min(geometry.clusterSize, virtualSize - start);
  }

  #judgeData(entry: Entry, { place, end }: { place: () => Place; end: number }): void {
    const fault = dataFault(entry, end, place);
    if (fault !== undefined) {
      this.#findings.add(fault.rule, fault.place, fault.message);
      return;
    }
    const offset = offsetOf(entry);
    if (entry.low % this.#image.geometry.clusterSize !== 0) {
      const judge = judgeOf(l2Entry, { l2_entry: valueOf(entry) }, { ...this.#judging, place });
      judge("qcow1.l2e.cluster-aligned");
    }
    this.#mustBeStored("A cluster", place(), { offset, length: end });
  }

  #judgeCompressed(entry: Entry, place: () => Place): void {
    if (this.#budget < 0 || !this.#decompressed.add(entry.high, entry.low)) return;
    const image = this.#image;
    const extent = compressedExtent(entry, image.geometry.clusterBits);
    must(extent.offset + extent.length <= image.source.size, this.#findings, {
      rule: "qcow1.comp.readable",
      place: place(),
      message: () =>
        `Compressed data starts at ${hex(extent.offset)} with ${extent.length} bytes, and the ` +
        `file ends at ${hex(image.source.size)}`,
    });
    this.#budget -= image.geometry.clusterSize;
    if (this.#budget < 0) {
      const message = "The image references its content so often that not all of it was judged";
      this.#findings.add("diskproof.work.budget", { path: "/" }, message);
      return;
    }
    const cluster = decompressEntry(image, entry, place);
    if (cluster instanceof Uint8Array) return;
    this.#findings.add(cluster.rule, cluster.place, cluster.message);
  }

  /** Reports missing parts of a truncated file, which read as zeros. */
  #mustBeStored(what: string, place: Place, extent: { offset: number; length: number }): void {
    const { size } = this.#image.source;
    // The L1 table of a disk of less than a sector is not read.
    must(extent.length === 0 || extent.offset + extent.length <= size, this.#findings, {
      rule: "blk.io.past-eof",
      place,
      message: () =>
        `${what} starts at ${hex(extent.offset)} with ${extent.length} bytes, and the file ends ` +
        `at ${hex(size)}`,
    });
  }
}
