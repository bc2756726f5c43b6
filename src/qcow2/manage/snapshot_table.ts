import { concat } from "../../bytes/mod.ts";
import { encode } from "../../layout/mod.ts";
import { padded } from "../encode/padded.ts";
import { NO_ICOUNT, type Snapshot, SNAPSHOT_ALIGNMENT } from "../snapshots.ts";
import { limits, snapshotExtra, snapshotHead } from "../structures.ts";
import type { HeaderFields } from "../write/header.ts";
import type { WritableImage } from "../write/image.ts";
import { storeTable } from "../write/tables.ts";
import { Transition } from "./transition.ts";

/** The entries of snapshots as QEMU writes them: with a disk size, which older ones may lack. */
export function encodedSnapshots(
  { store, virtualSize }: WritableImage,
  snapshots: readonly Snapshot[],
): Uint8Array[] {
  return snapshots.map((snapshot) => {
    const { offset, extra_data_size } = snapshot;
    const unknown = extra_data_size - snapshotExtra.size;
    const at = offset + snapshotHead.size + snapshotExtra.size;
    return encodeSnapshot(
      { diskSize: BigInt(virtualSize), ...snapshot },
      unknown > 0 ? store.read(at, unknown) : new Uint8Array(0),
    );
  });
}

/** Writes a snapshot table, and releases the one that it replaces. */
export function snapshotTable(
  image: WritableImage,
  transition: Transition,
  entries: readonly Uint8Array[],
): HeaderFields {
  const { file: { header }, opened: { snapshots } } = image;
  if (header.nb_snapshots > 0) {
    transition.release(Number(header.snapshots_offset), snapshots.length);
  }
  const snapshots_offset = BigInt(storeTable(image, concat(...entries)));
  return { snapshots_offset, nb_snapshots: entries.length };
}

/** Writes the snapshot table again if entries lack what version 3 requires, as QEMU does. */
export function completeSnapshots(image: WritableImage): void {
  const snapshots = [...image.opened.snapshots.snapshots];
  if (snapshots.every(({ extra_data_size }) => extra_data_size >= limits.snapshotExtraV3)) return;
  const transition = new Transition(image);
  transition.commit(snapshotTable(image, transition, encodedSnapshots(image, snapshots)));
}

type SnapshotFields =
  & Pick<Snapshot, "id" | "name" | "l1_table_offset" | "l1_size" | "date_sec" | "date_nsec">
  & Pick<Snapshot, "vm_clock_nsec" | "vmStateSize" | "icount">
  & { readonly diskSize: bigint };

/** An entry of the snapshot table. @param unknown extra data after what is known */
export function encodeSnapshot(
  snapshot: SnapshotFields,
  unknown: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const { id, name, vmStateSize } = snapshot;
  const entry = concat(
    encode(snapshotHead, {
      ...snapshot,
      id_str_size: id.length,
      name_size: name.length,
      // A longer one is only in the extra data.
      vm_state_size: vmStateSize <= limits.vmStateSize ? Number(vmStateSize) : 0,
      extra_data_size: snapshotExtra.size + unknown.length,
    }),
    encode(snapshotExtra, {
      vm_state_size_large: vmStateSize,
      disk_size: snapshot.diskSize,
      icount: snapshot.icount ?? NO_ICOUNT,
    }),
    unknown,
    id,
    name,
  );
  return padded(entry, SNAPSHOT_ALIGNMENT);
}
