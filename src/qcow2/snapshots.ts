import { BufferedSource, type ByteSource, readUpTo, roundUp } from "../bytes/mod.ts";
import { decode, type Decoded } from "../layout/mod.ts";
import { imageText, LazyList } from "../format/mod.ts";
import { limits, snapshotExtra, snapshotHead } from "./structures.ts";

/** An entry of the snapshot table. */
export interface Snapshot extends Decoded<typeof snapshotHead> {
  /** Byte offset of the entry in the file. */
  readonly offset: number;
  /** The id and the name as stored. */
  readonly id: Uint8Array;
  readonly name: Uint8Array;
  /** VM state size in bytes, from the extra data if present. */
  readonly vmStateSize: bigint;
  /** Virtual size in bytes, if the extra data contains it. */
  readonly diskSize?: bigint;
  readonly icount?: bigint;
}

/** The snapshot table. */
export interface SnapshotTable {
  readonly snapshots: LazyList<Snapshot>;
  /** Number of those that start inside the file; the ones after them are all zeros. */
  readonly stored: number;
  /** Bytes from the start of the table to the end of the last name. */
  readonly length: number;
}

/** Entries of the table start at multiples of this from its start, in bytes. */
export const SNAPSHOT_ALIGNMENT = 8;
/** The stored icount of a snapshot without one. */
export const NO_ICOUNT: bigint = (1n << 64n) - 1n;

/**
 * Decodes `count` entries. Total: entries past the end of the file are all zeros, and lengths are
 * compared with the file before memory is allocated.
 *
 * @param place.maxExtra stop after the first entry with longer extra data
 * @param place.maxLength maximum length of the table in bytes
 */
export function decodeSnapshots(
  source: ByteSource,
  place: { offset: number; count: number; maxExtra: number; maxLength: number },
): SnapshotTable {
  const buffered = new BufferedSource(source);
  const offsets: number[] = [];
  // Relative to the start of the table, whose offset may be too large for exact arithmetic.
  let length = 0;
  let stored = 0;
  for (let i = 0; i < place.count; i++) {
    const at = roundUp(length, SNAPSHOT_ALIGNMENT);
    const snapshot = decodeSnapshot(buffered, place.offset + at);
    offsets.push(snapshot.offset);
    if (snapshot.offset < source.size) stored = offsets.length;
    if (snapshot.extra_data_size > place.maxExtra) break;
    length = at + snapshotHead.size + snapshot.extra_data_size + snapshot.id_str_size +
      snapshot.name_size;
    if (length > place.maxLength) break;
  }
  const decoded = (index: number) => decodeSnapshot(buffered, offsets[index] ?? 0);
  return { snapshots: new LazyList(offsets.length, decoded), stored, length };
}

/** An entry past the end of the file: zeros. */
const nothing = {
  ...decode(snapshotHead, new Uint8Array()),
  id: new Uint8Array(),
  name: new Uint8Array(),
  vmStateSize: 0n,
};

function decodeSnapshot(source: ByteSource, offset: number): Snapshot {
  if (offset >= source.size) return { ...nothing, offset };
  const head = decode(snapshotHead, readUpTo(source, offset, snapshotHead.size));
  const extraSize = head.extra_data_size;
  const extraAt = offset + snapshotHead.size;
  const extra = decode(
    snapshotExtra,
    readUpTo(source, extraAt, Math.min(extraSize, snapshotExtra.size)),
  );
  const idAt = extraAt + extraSize;
  const { vm_state_size_large, disk_size, icount } = snapshotExtra.offsets;
  const reaches = (at: number): boolean => extraSize >= at + 8;
  return {
    ...head,
    offset,
    id: readUpTo(source, idAt, head.id_str_size),
    name: readUpTo(source, idAt + head.id_str_size, head.name_size),
    vmStateSize: reaches(vm_state_size_large)
      ? extra.vm_state_size_large
      : BigInt(head.vm_state_size),
    ...(reaches(disk_size) ? { diskSize: extra.disk_size } : {}),
    ...(reaches(icount) && extra.icount !== NO_ICOUNT ? { icount: extra.icount } : {}),
  };
}

/** A snapshot in qemu-img's shape. */
export function snapshotInfo(snapshot: Snapshot): { [key: string]: string | number } {
  const second = 1_000_000_000n;
  return {
    id: imageText(snapshot.id.subarray(0, limits.listedId)),
    name: imageText(snapshot.name.subarray(0, limits.listedName)),
    "vm-state-size": signed(snapshot.vmStateSize),
    "date-sec": snapshot.date_sec,
    "date-nsec": snapshot.date_nsec,
    "vm-clock-sec": signed(snapshot.vm_clock_nsec / second),
    "vm-clock-nsec": Number(snapshot.vm_clock_nsec % second),
    ...(snapshot.icount === undefined ? {} : { icount: signed(snapshot.icount) }),
  };
}

/** QEMU prints unsigned 64-bit values as signed ones; JSON's numbers round them from 2^53 on. */
function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}
