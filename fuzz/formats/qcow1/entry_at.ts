import type { ByteSource } from "../../../src/bytes/mod.ts";
import { decode } from "../../../src/layout/mod.ts";
import { header, l2Entry } from "../../../src/qcow1/mod.ts";
import { entriesIn } from "../qcow.ts";

/** The places of the mapping entries of a byte of the disk. */
export function qcow1EntriesAt(
  source: ByteSource,
  guestOffset: number,
): { path: string; offset: number }[] {
  const head = decode(header, source.read(0, header.size));
  return entriesIn(source, guestOffset, {
    l1Offset: head.l1_table_offset,
    l2Entries: 2 ** head.l2_bits,
    clusterSize: 2 ** head.cluster_bits,
    entrySize: l2Entry.size,
    offsetMask: -1n,
  });
}
