import type { ByteSource } from "../../../src/bytes/mod.ts";
import { bitMask, decode } from "../../../src/layout/mod.ts";
import { features, geometryOf, header, l1Entry } from "../../../src/qcow2/mod.ts";
import { entriesIn } from "../qcow.ts";

/** The places of the mapping entries of a byte of the disk. */
export function qcow2EntriesAt(
  source: ByteSource,
  guestOffset: number,
): { path: string; offset: number }[] {
  const head = decode(header, source.read(0, header.size));
  const { l2Entries, l2EntrySize, clusterSize } = geometryOf({
    clusterBits: head.cluster_bits,
    refcountOrder: head.refcount_order,
    extendedL2: head.version > 2 && (head.incompatible_features & features.extendedL2) !== 0n,
  });
  return entriesIn(source, guestOffset, {
    l1Offset: head.l1_table_offset,
    l2Entries,
    clusterSize,
    entrySize: l2EntrySize,
    offsetMask: bitMask(l1Entry, "l1_entry", "offset").mask,
  });
}
