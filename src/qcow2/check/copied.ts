import { type EntryTable, PageMemory, type Watch } from "../../format/mod.ts";
import type { ByteSource } from "../../bytes/mod.ts";
import { classOf, type EntryContext, hostOffset } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { masked } from "../entry_bits.ts";
import { entryBits } from "../structures.ts";
import type { References } from "./references.ts";
import { type StoredRefcounts, UNREADABLE } from "./refcounts.ts";

/** Data that the copied flags are compared with. */
export interface CopiedCheck {
  readonly source: ByteSource;
  readonly context: EntryContext;
  /** The active L1 table: in other tables the flag may be wrong. */
  readonly l1: EntryTable;
  readonly stored: StoredRefcounts;
  readonly references: References;
  readonly watch: Watch | undefined;
}

/** Compares the copied flags of the active tables with the stored refcounts (check_oflag_copied). */
export function checkCopied(check: CopiedCheck): void {
  const { l1, stored, references } = check;
  const { clusterSize } = check.context.geometry;
  const uses = new Map<number, number>();
  for (let i = l1.nextNonZero(0); i < l1.length; i = l1.nextNonZero(i + 1)) {
    const offset = masked(l1.high(i), l1.low(i), entryBits.l1Offset);
    if (offset === 0) continue;
    const refcount = stored.of(Math.floor(offset / clusterSize));
    if (refcount === UNREADABLE) continue;
    uses.set(offset, (uses.get(offset) ?? 0) + 1);
    const copied = (l1.high(i) & entryBits.copied.high) !== 0;
    if (copied === (refcount === 1)) continue;
    references.corrupt(
      "qcow2.check.copied-l1",
      { path: `/l1/${i}/l1_entry`, offset: l1.offsetOf(i) },
      `The copied flag is ${copied ? "set" : "clear"}, and the refcount is ${refcount}`,
    );
  }
  let number = 0;
  const memory = new PageMemory();
  for (const [offset, times] of uses) {
    const table = new L2Table(check.source, offset, check.context.geometry, memory);
    checkEntries(check, { table, path: `/l2[${number++}]`, times });
    check.watch?.(number / uses.size);
  }
}

function checkEntries(
  { context, stored, references }: CopiedCheck,
  { table, path, times }: { table: L2Table; path: string; times: number },
): void {
  for (let i = table.nextNonZero(0); i < table.stored; i = table.nextNonZero(i + 1)) {
    const high = table.high(i);
    const low = table.low(i);
    const kind = classOf(high, low, context);
    if (kind !== "normal" && kind !== "zero-allocated") continue;
    const cluster = Math.floor(hostOffset(high, low) / context.geometry.clusterSize);
    const refcount = context.dataFile ? 1 : stored.of(cluster);
    if (refcount === UNREADABLE) continue;
    const copied = (high & entryBits.copied.high) !== 0;
    if (copied === (refcount === 1)) {
      const length = table.sequence(i);
      i += (context.dataFile ? length : stored.same(cluster, length)) - 1;
      continue;
    }
    references.corrupt(
      "qcow2.check.copied-l2",
      { path: `${path}/${i}/l2_entry`, offset: table.offsetOf(i), times },
      `The copied flag is ${copied ? "set" : "clear"}, and the refcount is ${refcount}`,
    );
  }
}
