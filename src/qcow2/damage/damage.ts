import {
  counted,
  type Damage,
  type DamageSummary,
  FoldedRanges,
  rangesText,
} from "../../format/mod.ts";
import { Findings } from "../../rules/mod.ts";
import { type CheckedImage, withReferences } from "../check/check.ts";
import type { Geometry } from "../geometry.ts";
import type { Mapping } from "../runs.ts";
import { type LostTable, lostTables } from "./lost_tables.ts";
import { RefcountDamage } from "./refcounts.ts";
import { TableDamage } from "./tables.ts";

/**
 * A summary of the damage to the active disk, by cause and guest range, as a maintainer works it out by
 * hand: what is past the end of the file, what is malformed, and which tables are missing that the
 * leaked clusters fit.
 *
 * @returns `undefined` if nothing is damaged
 */
export function damageOf(image: CheckedImage, mapping: Mapping): DamageSummary | undefined {
  const { file: { source }, size } = image;
  const { geometry } = mapping;
  const tables = new TableDamage(mapping, source, size);
  const refcounts = withReferences(
    image,
    new Findings(),
    ({ stored, references }) => new RefcountDamage(stored, references, geometry),
  );
  const lost = refcounts === undefined ? [] : lostTables(refcounts.leaks, { source, geometry });
  const parts = { tables, geometry, size };
  const leaks = refcounts === undefined ? [] : leakDamage(parts, refcounts, lost);
  const costly = [...truncation(parts, source.size), ...tableDamage(parts), ...leaks];
  const others = refcounts === undefined ? [] : refcountDamage(refcounts, geometry);
  const causes = [...costly, ...others];
  if (causes.length === 0) return undefined;
  const { clusterSize } = geometry;
  const affected = costly.reduce(
    (sum, { guest, clusters = 0 }) =>
      guest === undefined ? sum : sum + Math.min(guest.bytes, clusters * clusterSize),
    0,
  );
  const missing = leaks.reduce(
    (sum, { guest, clusters = 0 }) => guest === undefined ? sum : sum + clusters * clusterSize,
    0,
  );
  return { causes, affected, content: Math.max(affected, tables.content + missing) };
}

interface Parts {
  readonly tables: TableDamage;
  readonly geometry: Geometry;
  readonly size: number;
}

function truncation({ tables, geometry }: Parts, end: number): Damage[] {
  const { beyond, tablesBeyond } = tables;
  const clusters = beyond.bytes / geometry.clusterSize;
  const of: string[] = [];
  if (beyond.count > 0) {
    of.push(`${counted(Math.ceil(clusters), "cluster")} of guest range ${rangesText(beyond)}`);
  }
  if (tablesBeyond.count > 0) {
    const count = Math.ceil(tablesBeyond.bytes / geometry.l2Coverage);
    of.push(`${counted(count, "L2 table")} for guest range ${rangesText(tablesBeyond)}`);
  }
  if (of.length === 0) return [];
  const guest = new FoldedRanges();
  guest.append(beyond);
  guest.append(tablesBeyond);
  const message = `The file ends at 0x${end.toString(16)}, before ${of.join(", and before ")}`;
  return [{ cause: "truncated", message, clusters: Math.ceil(clusters), guest }];
}

function tableDamage({ tables, geometry }: Parts): Damage[] {
  const damage: Damage[] = [];
  const { l1Entries, l2Entries } = tables;
  if (l1Entries.count > 0) {
    const count = Math.ceil(l1Entries.bytes / geometry.l2Coverage);
    const message = `${counted(count, "L1 entry").replace(/entrys$/, "entries")} for guest range ` +
      `${rangesText(l1Entries)} lead${count === 1 ? "s" : ""} to no L2 table`;
    const clusters = Math.ceil(l1Entries.bytes / geometry.clusterSize);
    damage.push({ cause: "l1-entries", message, clusters, guest: l1Entries });
  }
  if (l2Entries.count > 0) {
    const clusters = Math.ceil(l2Entries.bytes / geometry.clusterSize);
    const message = `${counted(clusters, "cluster")} of guest range ${rangesText(l2Entries)} ` +
      `${clusters === 1 ? "has a" : "have"} malformed L2 ${clusters === 1 ? "entry" : "entries"}`;
    damage.push({ cause: "l2-entries", message, clusters, guest: l2Entries });
  }
  return damage;
}

/** Which missing tables the leaked clusters fit. */
function leakDamage(
  { tables, geometry }: Parts,
  refcounts: RefcountDamage,
  lost: readonly LostTable[],
): Damage[] {
  const damage: Damage[] = [];
  const { clusterSize, l2Coverage } = geometry;
  let left = refcounts.leaked.bytes / clusterSize;
  if (lost.length > 0 && tables.unallocated.count > 0) {
    const clusters = lost.reduce((sum, table) => sum + table.children, 0);
    const candidates = Math.ceil(tables.unallocated.bytes / l2Coverage);
    const at = `0x${(lost[0]?.offset ?? 0).toString(16)}`;
    const what = lost.length === 1
      ? `the L2 table at ${at}`
      : `${lost.length} L2 tables from ${at} on`;
    const where = candidates === lost.length
      ? `for guest range ${rangesText(tables.unallocated)}`
      : `for ${lost.length === 1 ? "one" : lost.length} of ${counted(candidates, "range")} ` +
        `of 0x${l2Coverage.toString(16)} bytes in ${rangesText(tables.unallocated)}`;
    const message = `No L1 entry leads to ${what}, with ${counted(clusters, "cluster")}, ${where}`;
    damage.push({ cause: "l2-table-lost", message, clusters, guest: tables.unallocated });
    left -= clusters + lost.length;
  }
  const beyond = Math.ceil(tables.tablesBeyond.bytes / l2Coverage);
  if (left > 0 && left <= beyond * geometry.l2Entries) {
    const guest = tables.tablesBeyond;
    const message = `${counted(left, "leaked cluster")} fit${left === 1 ? "s" : ""} the L2 ` +
      `table${beyond === 1 ? "" : "s"} past the end of the file, for guest range ${
        rangesText(guest)
      }`;
    damage.push({ cause: "truncated", message, clusters: left, guest });
    left = 0;
  }
  const count = Math.ceil(tables.empty.bytes / l2Coverage);
  if (left > 0 && count > 0 && left <= count * geometry.l2Entries) {
    const what = count === 1
      ? `The L2 table at 0x${tables.emptyAt.toString(16)}`
      : `${count} L2 tables`;
    const message = `${what} for guest range ${rangesText(tables.empty)} ${
      count === 1 ? "is" : "are"
    } empty, and ${counted(left, "leaked cluster")} fit${left === 1 ? "s" : ""} it`;
    damage.push({ cause: "l2-table-empty", message, clusters: left, guest: tables.empty });
    left = 0;
  }
  if (left > 0) {
    const message =
      `${counted(left, "leaked cluster")} in ${rangesText(refcounts.leaked)} of the ` +
      "file, which fit no missing table: space is wasted";
    damage.push({ cause: "leaks", message, clusters: left });
  }
  return damage;
}

function refcountDamage(refcounts: RefcountDamage, { clusterSize }: Geometry): Damage[] {
  const damage: Damage[] = [];
  const { blocks, uncounted, low } = refcounts;
  if (blocks > 0) {
    const clusters = uncounted.bytes / clusterSize;
    const message =
      `${counted(blocks, "refcount block")} ${blocks === 1 ? "counts" : "count"} none of the ${
        counted(clusters, "cluster")
      } in use in ${rangesText(uncounted)} of the file; ` +
      "no content is lost, but a write may overwrite some";
    damage.push({ cause: "refcount-blocks", message, clusters });
  }
  if (low.count > 0) {
    const clusters = low.bytes / clusterSize;
    const message = `${counted(clusters, "cluster")} in ${rangesText(low)} of the file ` +
      `${clusters === 1 ? "has" : "have"} fewer refcounts than references`;
    damage.push({ cause: "refcounts", message, clusters });
  }
  return damage;
}
