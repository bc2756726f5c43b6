import { l1Entry, l2Entry, limits } from "../../src/qcow2/mod.ts";
import { merged, type Range } from "../generate/mod.ts";
import type { Action } from "./step.ts";
import type { Disk } from "./disk.ts";
import { whole } from "./marks.ts";

/** What of an image decides how it reacts to an action. It does not change. */
export interface Facts {
  /** Name of the format. */
  readonly format: string;
  readonly clusterSize: number;
  /** The largest size of the disk that is tried. */
  readonly sizeMax: number;
  /** Compressed clusters can be written; they are not encrypted. */
  readonly compresses: boolean;
  /**
   * They can be written where clusters are. QEMU rejects that for qcow2. In version 1 it overwrites the
   * cluster that is there, whatever its length (block/qcow.c, get_cluster_offset with allocate = 2).
   */
  readonly compressesOver: boolean;
  readonly resizes: boolean;
  readonly snapshots: boolean;
  readonly bitmaps: boolean;
  /** All content can be given up; nothing is below it. */
  readonly empties: boolean;
  /** Keys can be added and erased. */
  readonly keys: boolean;
  /** A snapshot can become current in an image with bitmaps. QEMU rejects that. */
  readonly appliesOverBitmaps: boolean;
  /** Zeros can be written without their bytes. */
  readonly zeroes: boolean;
  /** What a discarded range reads as: as in QEMU's driver of the format, or anything. */
  readonly discards: "as-qemu" | "anything" | "none";
  /** qcow2: version 2 of the format. */
  readonly old: boolean;
  readonly encrypted: boolean;
  /** QEMU opens and reads the image at the start. */
  readonly forQemu: boolean;
  /** It has an external data file. */
  readonly dataFile: boolean;
  /** It has a backing file. */
  readonly backing: boolean;
  /** Size of the disk of its backing file, in bytes; 0 where there is none. */
  readonly backingSize: number;
  /** qcow2: the width of refcounts. */
  readonly refcountBits: number;
}

/** An internal snapshot. */
export interface KeptDisk {
  readonly name: string;
  /** Absent for a snapshot that a step made: its writer chose the id. */
  readonly id?: string;
  readonly disk: Disk;
  /** The clusters of the VM state that its tables may have. */
  readonly vmState: number;
}

/** A persistent bitmap. */
export interface Bitmap {
  readonly name: string;
  readonly granularity: number;
  readonly enabled: boolean;
  /** It was not saved once: its bits mean nothing. */
  readonly inUse: boolean;
  readonly marks: readonly Range[];
  /** Ranges of rejected writes: their bits may be set. */
  readonly maybe: readonly Range[];
}

/** What is expected of an image. A state never changes; an action makes another one of it. */
export interface State {
  readonly facts: Facts;
  readonly disk: Disk;
  readonly snapshots: readonly KeptDisk[];
  readonly bitmaps: readonly Bitmap[];
  /** The clusters of the VM state that the tables may have: a snapshot with one was applied. */
  readonly vmState: number;
  /** The passphrases that were added, and those of them that were erased. */
  readonly keys: readonly string[];
  readonly erased: readonly string[];
  /** Ranges that may have clusters. */
  readonly touched: readonly Range[];
  /** Number of actions that were applied: what they make is called by it. */
  readonly made: number;
}

/** The state after an action that was not rejected. */
export function after(state: State, action: Action): State {
  const touched = "range" in action ? [...state.touched, action.range] : state.touched;
  const next = { ...state, touched, made: state.made + 1 };
  const { disk, snapshots, bitmaps, vmState } = state;
  const replaced = (name: string, change: Partial<Bitmap>): State => ({
    ...next,
    bitmaps: bitmaps.map((it) => it.name === name ? { ...it, ...change } : it),
  });
  switch (action.do) {
    case "write":
    case "compressed":
      return marked({ ...next, disk: disk.write(action.range, action.pattern) }, action.range);
    case "zero":
    case "empty":
      return marked({ ...next, disk: disk.zero(action.range) }, action.range);
    case "discard": {
      if (state.facts.discards === "anything") return { ...next, disk: disk.forget(action.range) };
      const lost = discarded(state, action.range);
      const left = lost === undefined ? disk : disk.discard(lost);
      return tracksDiscards(state)
        ? marked({ ...next, disk: left }, action.range)
        : { ...next, disk: left };
    }
    case "flush":
    case "reopen":
      return next;
    case "key-add":
      return { ...next, keys: [...state.keys, action.name] };
    case "key-erase": {
      const keys = state.keys.filter((name) => name !== action.name);
      return { ...next, keys, erased: [...state.erased, action.name] };
    }
    case "resize":
      return { ...resized(next, action.size), vmState: action.size > disk.size ? vmState : 0 };
    case "snapshot":
      return { ...next, snapshots: [...snapshots, { name: action.name, disk, vmState }] };
    case "apply": {
      const kept = snapshots.find((it) => it.name === action.name && it.id === action.id);
      if (kept === undefined) return next;
      const { size } = kept.disk;
      return {
        ...resized(next, size),
        disk: kept.disk,
        vmState: kept.vmState,
        touched: [{ start: 0, end: size }],
      };
    }
    case "delete":
      return {
        ...next,
        snapshots: snapshots.filter((it) => it.name !== action.name || it.id !== action.id),
      };
    case "bitmap-add": {
      const { name, granularity, enabled } = action;
      const added: Bitmap = { name, granularity, enabled, inUse: false, marks: [], maybe: [] };
      return { ...next, bitmaps: [...bitmaps, added] };
    }
    case "bitmap-remove":
      return { ...next, bitmaps: bitmaps.filter(({ name }) => name !== action.name) };
    case "bitmap-enable":
    case "bitmap-disable":
      return replaced(action.name, { enabled: action.do === "bitmap-enable" });
    case "bitmap-clear":
      return replaced(action.name, { marks: [], maybe: [] });
    case "bitmap-merge": {
      const source = bitmaps.find(({ name }) => name === action.source);
      const target = bitmaps.find(({ name }) => name === action.name);
      if (target === undefined || source === undefined) return next;
      return replaced(action.name, {
        marks: withMarks(target, source.marks, disk.size),
        maybe: [...target.maybe, ...source.maybe.map((range) => whole(range, target.granularity))],
      });
    }
  }
}

/** The state after an action that was rejected. */
export function afterRejected(state: State, action: Action): State {
  if (action.do !== "compressed") return state;
  const bitmaps = state.bitmaps.map((bitmap) =>
    bitmap.enabled && !bitmap.inUse
      ? { ...bitmap, maybe: [...bitmap.maybe, whole(action.range, bitmap.granularity)] }
      : bitmap
  );
  return { ...state, bitmaps };
}

function marked(state: State, range: Range): State {
  const bitmaps = state.bitmaps.map((bitmap) =>
    bitmap.enabled && !bitmap.inUse
      ? { ...bitmap, marks: withMarks(bitmap, [range], state.disk.size) }
      : bitmap
  );
  return { ...state, bitmaps };
}

function withMarks({ marks, granularity }: Bitmap, more: readonly Range[], size: number): Range[] {
  return merged([...marks, ...more.map((range) => whole(range, granularity))], size);
}

function resized(state: State, size: number): State {
  const { disk, bitmaps, facts } = state;
  // QEMU does not clear the rest of the last cluster when a disk of qcow2 shrinks or grows, unless a
  // longer backing file would show (block/io.c, bdrv_co_truncate).
  const tail = facts.format === "qcow2" && facts.backingSize <= disk.size
    ? whole({ start: 0, end: disk.size }, facts.clusterSize)
    : undefined;
  return {
    ...state,
    disk: disk.resized(size, tail?.end),
    bitmaps: bitmaps.map((bitmap) => ({ ...bitmap, marks: grown(bitmap, disk.size, size) })),
  };
}

/** The bit of a last part that was cut stands for all of the part when the disk grows. */
function grown({ marks, granularity }: Bitmap, from: number, to: number): Range[] {
  const whole = marks.map(({ start, end }) => ({
    start,
    end: end === from ? Math.ceil(end / granularity) * granularity : end,
  }));
  return merged(whole, to);
}

/** QEMU does not pass discards to a driver that has none. */
function tracksDiscards({ facts: { format } }: State): boolean {
  return format === "qcow2" || format === "raw";
}

/**
 * What reads as zeros after a discard, as in QEMU's drivers (block/qcow2.c, qcow2_co_pdiscard): whole
 * clusters of qcow2; nothing where version 2 could only show the backing file instead.
 */
function discarded({ facts, disk }: State, { start, end }: Range): Range | undefined {
  const { format, old, backing, clusterSize } = facts;
  if (format === "raw") return { start, end };
  if (format !== "qcow2" || (old && backing)) return undefined;
  const from = Math.ceil(start / clusterSize) * clusterSize;
  const to = end === disk.size ? end : Math.floor(end / clusterSize) * clusterSize;
  return from < to ? { start: from, end: to } : undefined;
}

/** Whether the L1 table of qcow2 would be too long for a disk of this size, without subclusters. */
export function isTooLarge(size: number, { format, clusterSize }: Facts): boolean {
  const covered = clusterSize * clusterSize / l2Entry.size;
  return format === "qcow2" && Math.ceil(size / covered) * l1Entry.size > limits.l1Table;
}

/** Refcounts of so many bits can count all references of a sequence. */
export const WIDE_BITS = 16;

/** Why an action may be rejected that QEMU's drivers reject; `undefined` if it must be done. */
export function mayReject(
  { facts, snapshots, bitmaps, disk }: State,
  action: Action,
): string | undefined {
  const { old, dataFile, backing, refcountBits } = facts;
  const lost = bitmaps.some(({ inUse }) => inUse);
  // Many compressed clusters may be in one host cluster.
  const isNarrow = refcountBits < WIDE_BITS;
  switch (action.do) {
    case "compressed":
      return "the cluster may be allocated";
    case "key-add":
      return "all key slots may be in use";
    case "resize":
    case "apply": {
      if (action.do === "apply" && dataFile) return "snapshots with a data file";
      const size = action.do === "resize"
        ? action.size
        : snapshots.find((it) => it.name === action.name && it.id === action.id)?.disk.size;
      if (action.do === "apply" && bitmaps.length > 0) return "snapshots with bitmaps";
      if (action.do === "apply" && isNarrow) return "refcounts are too narrow";
      if (size === disk.size) return undefined;
      if (size !== undefined && isTooLarge(size, facts)) return "the L1 table is too long";
      if (old && snapshots.length > 0) return "version 2 with snapshots";
      if (old && backing) return "version 2 has no zeros over a backing file";
      return lost ? "a bitmap that was not saved" : undefined;
    }
    case "snapshot":
      if (dataFile) return "snapshots with a data file";
      return isNarrow ? "refcounts are too narrow" : undefined;
    case "delete":
      return dataFile ? "snapshots with a data file" : undefined;
    case "bitmap-add":
      if (old) return "version 2 has no bitmaps";
      return bitmaps.length === 0 ? "the header may have no room" : undefined;
    case "bitmap-enable":
    case "bitmap-disable":
    case "bitmap-clear":
    case "bitmap-merge":
      return lost ? "a bitmap that was not saved" : undefined;
    default:
      return undefined;
  }
}
