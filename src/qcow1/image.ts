import { EntryTable } from "../format/mod.ts";
import { type ByteSource, LastUsed } from "../bytes/mod.ts";
import type { Qcow1File } from "./decode.ts";
import { type Entry, offsetOf } from "./entry.ts";
import { type Geometry, guestSize, l1Needed } from "./geometry.ts";

/** Number of L2 tables in the cache, as in QEMU. */
const L2_TABLES = 16;

/** An image whose header is valid enough to look up clusters. */
export class Qcow1Image {
  readonly source: ByteSource;
  readonly geometry: Geometry;
  /** Length of the guest's disk; a multiple of 512. */
  readonly virtualSize: number;
  /** Content requires a passphrase. */
  readonly encrypted: boolean;
  /** Byte offset of the L1 table in the file. */
  readonly l1Offset: bigint;
  /** The L1 table, with the entries for the guest's disk. */
  readonly l1: EntryTable;
  readonly #l2 = new LastUsed<number, EntryTable>(L2_TABLES);

  constructor({ source, header }: Qcow1File, geometry: Geometry) {
    const visible = guestSize(header.size);
    this.source = source;
    this.geometry = geometry;
    this.virtualSize = visible;
    this.encrypted = header.crypt_method !== 0;
    this.l1Offset = header.l1_table_offset;
    const entries = Number(l1Needed(BigInt(visible), geometry));
    this.l1 = new EntryTable(source, Number(this.l1Offset), entries);
  }

  /** The L2 table that an L1 entry points to, which must be one that QEMU can read. */
  l2(entry: Entry): EntryTable {
    const offset = offsetOf(entry);
    return this.#l2.get(offset, () => new EntryTable(this.source, offset, this.geometry.l2Entries));
  }
}
