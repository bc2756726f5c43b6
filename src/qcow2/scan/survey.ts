import { type ByteSource, hexOf, readUpTo } from "../../bytes/mod.ts";
import { EntryTable } from "../../format/mod.ts";
import { anyBit, masked } from "../entry_bits.ts";
import { compressedRange } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { entryBits, l1Entry } from "../structures.ts";
import { type Evaluation, l1Entries } from "./candidate.ts";

/** What the tables of a candidate say beside the places of clusters. */
export interface Survey {
  /** End of the last guest cluster that has an entry, in bytes. */
  readonly end: number;
  /** The compression, where there are compressed clusters. */
  readonly compression: "deflate" | "zstd" | undefined;
  /** Some entry has the copied flag and offset 0, which is a cluster only in a data file. */
  readonly firstOfDataFile: boolean;
  /** Some entry has the copied flag. */
  readonly copied: boolean;
  /** L2 entries, and those at an odd place. */
  readonly entries: number;
  readonly odd: number;
}

/** Entries that are looked at besides those that fit into the file. */
const BUDGET = 2 ** 20;
const ZSTD_MAGIC = "28b52ffd";

/** Walks the L1 table and the L2 tables of a candidate once. */
export function survey(source: ByteSource, { candidate, geometry }: Evaluation): Survey {
  const l1 = new EntryTable(source, candidate.l1.offset, l1Entries(candidate));
  const seen = new Map<number, number>();
  let [end, entries, odd, budget] = [0, 0, 0, BUDGET + source.size / l1Entry.size];
  let [firstOfDataFile, someCopied] = [false, false];
  let compression: Survey["compression"];
  const { compressed, copied, l2Offset } = entryBits;
  for (let i = l1.nextNonZero(0); i < l1.length && budget > 0; i = l1.nextNonZero(i + 1)) {
    const offset = masked(l1.high(i), l1.low(i), entryBits.l1Offset);
    someCopied ||= anyBit(l1.high(i), l1.low(i), copied);
    let last = seen.get(offset);
    if (last === undefined) {
      const table = new L2Table(source, offset, geometry);
      budget -= table.stored;
      for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
        const { high, low } = table.entry(k);
        last = k;
        entries++;
        odd += k % 2;
        if ((high & compressed.high) !== 0) {
          compression ??= compressionAt(source, compressedRange(high, low, geometry).offset);
          continue;
        }
        firstOfDataFile ||= anyBit(high, low, copied) && !anyBit(high, low, l2Offset);
        someCopied ||= anyBit(high, low, copied);
      }
      seen.set(offset, last ?? -1);
    }
    end = i * geometry.l2Coverage + ((last ?? -1) + 1) * geometry.clusterSize;
  }
  return { end, compression, firstOfDataFile, entries, odd, copied: someCopied };
}

function compressionAt(source: ByteSource, offset: number): "deflate" | "zstd" {
  const head = readUpTo(source, offset, ZSTD_MAGIC.length / 2);
  return hexOf(head) === ZSTD_MAGIC ? "zstd" : "deflate";
}
