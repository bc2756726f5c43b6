import { SECTOR } from "../../src/bytes/mod.ts";
import type { Failure } from "../engine/mod.ts";
import type { Action } from "./step.ts";
import { after, type State, WIDE_BITS } from "./state.ts";

/** An action of a sequence. */
export interface Past {
  readonly action: Action;
  readonly rejected: boolean;
  /** The writers that got it. */
  readonly by: readonly string[];
  /** The state before it. */
  readonly before: State;
}

/** What is known of a sequence when it fails. */
export interface Seen {
  readonly failure: Failure;
  /** Its signature without the writer. */
  readonly what: string;
  readonly state: State;
  /** The actions so far, with those that were rejected. */
  readonly actions: readonly Past[];
}

/** A failure of a writer that is understood. */
export interface KnownFailure {
  /** Name of the divergence. */
  readonly name: string;
  /** Why the writer differs, with a citation. */
  readonly because: string;
  /** Whether a failure is an instance of it. */
  explains(seen: Seen): boolean;
}

/** What QEMU does that differs from what is expected. */
export const QEMU_FAILURES: readonly KnownFailure[] = [
  {
    name: "qemu-snapshot-leaks-when-rejected",
    because:
      "When a refcount is too narrow for another snapshot, qcow2_snapshot_create has allocated the " +
      "snapshot's L1 table already and does not free it (block/qcow2-snapshot.c, 7.2.22).",
    explains: ({ what, state: { facts }, actions }) =>
      what === "leaks" && facts.refcountBits < WIDE_BITS &&
      actions.some((past) => isByQemu(past) && past.action.do === "snapshot" && past.rejected),
  },
  {
    name: "qemu-header-full",
    because:
      "QEMU writes the names of all features into the first cluster with every change of the header " +
      "(block/qcow2.c, qcow2_update_header). Where they do not fit beside the other extensions, the " +
      "image cannot be changed, or loses its bitmaps.",
    explains: ({ failure, state: { facts } }) =>
      facts.format === "qcow2" && failure.message.includes("No space left on device"),
  },
  {
    name: "qemu-grows-no-compressed-end",
    because:
      "Where a larger backing file would show, QEMU marks the new part of the disk as zeros. With " +
      "subclusters, it cannot do so within a last cluster that is compressed " +
      "(block/qcow2-cluster.c, zero_l2_subclusters), and rejects the resize.",
    explains: ({ what, failure, state: { facts } }) =>
      what === "resize.rejected" && facts.backing &&
      failure.message.includes("Failed to zero out new clusters: Operation not supported"),
  },
  {
    name: "qemu-qcow-partial-write-to-compressed-and-encrypted",
    because:
      "A write to a part of a compressed cluster of version 1 stores the rest decompressed and not " +
      "encrypted (block/qcow.c, get_cluster_offset).",
    explains: ({ what, state: { facts }, actions }) =>
      what === "content.data.qcow.top" && facts.format === "qcow" &&
      facts.encrypted && actions.some(writesPart),
  },
  {
    name: "qemu-qcow-no-copy-from-backing",
    because:
      "A write to a part of a new cluster of version 1 copies nothing from the backing file: QEMU makes " +
      "images with a backing file with clusters of one sector (block/qcow.c, get_cluster_offset and " +
      "qcow_co_create).",
    explains: ({ what, state: { facts }, actions }) =>
      what === "content.data.qcow.top" && facts.format === "qcow" &&
      facts.backing && facts.clusterSize > SECTOR && actions.some(writesPart),
  },
  {
    name: "qemu-encrypted-raw-data-file-grows",
    because:
      "An image with a raw data file grows by clusters that are allocated and were never written " +
      "(block/qcow2.c, qcow2_co_truncate). The zeros there are decrypted if the image is encrypted.",
    explains: ({ what, state: { facts }, actions }) =>
      what.startsWith("content.data.qcow2") && facts.encrypted &&
      facts.dataFile && actions.some(grows),
  },
  {
    name: "refcounts-too-narrow-for-one",
    because:
      "How many compressed clusters share a host cluster, and so how large its refcount is, is up to the " +
      "writer. With narrow refcounts one can keep another snapshot, and the other cannot.",
    explains: ({ what, state: { facts } }) =>
      /^(snapshot|apply)\.rejected-alone$/.test(what) && facts.refcountBits < WIDE_BITS,
  },
  {
    name: "qemu-apply-half-done",
    because:
      "qcow2_snapshot_goto gives the disk the size of the snapshot before it finds that refcounts are " +
      "too narrow, and leaves it so (block/qcow2-snapshot.c, 7.2.22).",
    explains: ({ state: { facts }, actions }) =>
      facts.refcountBits < WIDE_BITS &&
      actions.some((past) => isByQemu(past) && past.action.do === "apply" && past.rejected),
  },
  {
    name: "qemu-shrink-after-apply-leaks",
    because:
      "An applied snapshot restores its VM state too, which is stored past the end of the disk. " +
      "Shrinking the disk frees the clusters up to its old end (block/qcow2.c, qcow2_co_truncate), but " +
      "past it only the L2 tables and not the clusters in them (block/qcow2-cluster.c, " +
      "qcow2_shrink_l1_table, 7.2.22). So does applying a snapshot of a smaller disk, which calls it " +
      "(block/qcow2-snapshot.c, qcow2_snapshot_goto). No more clusters leak than the VM state has: " +
      "qemu-img create -f qcow2 a 1M; qemu-io -c 'write -b 0 128k' a; qemu-img resize --shrink a 512k.",
    explains: ({ what, failure, actions }) => {
      const lost = actions.filter(losesVmState).reduce(
        (sum, { before }) => sum + before.vmState,
        0,
      );
      return what === "leaks" && lost > 0 && leaksIn(failure) <= lost;
    },
  },
];

function isByQemu({ by }: Past): boolean {
  return by.includes("qemu");
}

/** Whether QEMU wrote to a part of a cluster. */
function writesPart(past: Past): boolean {
  const { action, before: { facts: { clusterSize } } } = past;
  if (!isByQemu(past) || action.do !== "write" && action.do !== "zero") return false;
  return action.range.start % clusterSize !== 0 || action.range.end % clusterSize !== 0;
}

/** Whether QEMU made a disk larger. */
function grows(past: Past): boolean {
  const { action, rejected } = past;
  return isByQemu(past) && action.do === "resize" && !rejected && action.size > action.from;
}

/** Whether QEMU made a disk with a VM state smaller, by a resize or with a snapshot. */
function losesVmState(past: Past): boolean {
  const { action, rejected, before } = past;
  return isByQemu(past) && !rejected && before.vmState > 0 &&
    after(before, action).disk.size < before.disk.size;
}

/** The number of clusters that leak besides those that were allowed: any, if it is not known. */
function leaksIn({ message }: Failure): number {
  const [, found = Infinity, allowed = 0] = /(\d+) leaked clusters, not (\d+)/.exec(message) ?? [];
  return Number(found) - Number(allowed);
}
