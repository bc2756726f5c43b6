import { judgeImage, type OpenedImage } from "../../src/image/mod.ts";
import { type ExpectedDisk, merged } from "../generate/mod.ts";
import { Disk } from "./disk.ts";
import { type Facts, type State, WIDE_BITS } from "./state.ts";

/** Cluster size of a format that has no clusters. */
const UNIT_MIN = 4096;
/** A disk grows by at most this many clusters. */
const GROWTH_MAX = 2 ** 9;

/** What is expected of the image of a model. */
export interface StartContent {
  readonly disk: ExpectedDisk;
  /** The snapshots by id. */
  readonly views: Iterable<readonly [id: string, disk: ExpectedDisk]>;
}

/** The state of an image that was just opened, and its leaked clusters. */
export function startOf(
  image: OpenedImage,
  { disk, views }: StartContent,
): { readonly state: State; readonly leaks: number } {
  const { layer } = image;
  if (layer === undefined) throw new TypeError("Cannot start: the image does not open");
  const info = layer.info();
  const listed = [...info.snapshots ?? []] as { id: string; "vm-state-size": number }[];
  const clusterSize = layer.clusterSize ?? 1;
  const vmStates = new Map(
    listed.map((it) => [it.id, Math.ceil(it["vm-state-size"] / clusterSize)]),
  );
  const kept = new Map(views);
  const snapshots = (layer.snapshots ?? []).map(({ id, name, virtualSize }) => {
    const content = kept.get(id);
    if (content === undefined) throw new TypeError(`Cannot start: snapshot ${id} is unknown`);
    const disk = Disk.of(content).resized(virtualSize);
    return { id, name, disk, vmState: vmStates.get(id) ?? 0 };
  });
  const bitmaps = (layer.bitmaps ?? []).map((bitmap) => {
    const { name, granularity, inUse, auto: enabled } = bitmap;
    const marks = inUse ? [] : merged(
      [...bitmap.ranges()].map(({ start, length }) => ({ start, end: start + length })),
      disk.size,
    );
    return { name, granularity, enabled, inUse, marks, maybe: [] };
  });
  const touched = [...layer.runs(0, layer.virtualSize)]
    // A cluster may have a place although none of its subclusters is allocated.
    .filter(({ kind, host }) => kind !== "unallocated" || host !== undefined)
    .map(({ start, length }) => ({ start, end: start + length }));
  const { qemu } = judgeImage(image);
  const facts = {
    ...factsOf(image, info["format-specific"]?.data ?? {}),
    forQemu: qemu.open === "accept" && qemu.read === "ok",
  };
  const parts = { disk: Disk.of(disk), snapshots, bitmaps, touched };
  const state = { facts, ...parts, vmState: 0, keys: [], erased: [], made: 0 };
  return { state, leaks: qemu.check?.leaks ?? 0 };
}

/** Cluster size of images that an implementation makes, unless it says otherwise in the image. */
const MADE_CLUSTER = 65536;

/** The state of an image that was just made, with a disk of zeros. */
export function emptyState(format: string, size: number): State {
  const isQcow2 = format === "qcow2";
  const clusterSize = format === "raw" ? UNIT_MIN : MADE_CLUSTER;
  const facts: Facts = {
    ...{ format, clusterSize, sizeMax: size + GROWTH_MAX * clusterSize },
    ...{ compresses: false, compressesOver: false, bitmaps: false, appliesOverBitmaps: false },
    keys: false,
    ...{ resizes: isQcow2 || format === "raw", snapshots: isQcow2 },
    ...{ zeroes: true, discards: "as-qemu", empties: false },
    ...{ encrypted: false, forQemu: true, old: false, dataFile: false },
    ...{ backing: false, backingSize: 0 },
    refcountBits: WIDE_BITS,
  };
  const disk = Disk.of({ size, ranges: [], read: (_, length) => new Uint8Array(length) });
  return {
    facts,
    disk,
    snapshots: [],
    bitmaps: [],
    touched: [],
    vmState: 0,
    keys: [],
    erased: [],
    made: 0,
  };
}

function factsOf(
  { format, layer, backing }: OpenedImage,
  data: { readonly [key: string]: unknown },
): Omit<Facts, "forQemu"> {
  const clusterSize = Math.max(UNIT_MIN * Number(format === "raw"), layer?.clusterSize ?? 0);
  const isQcow2 = format === "qcow2";
  const encrypted = layer?.encrypted === true;
  const dataFile = layer?.dataFile !== undefined;
  return {
    format,
    clusterSize,
    sizeMax: (layer?.virtualSize ?? 0) + GROWTH_MAX * clusterSize,
    compresses: (isQcow2 || format === "qcow") && !dataFile && !encrypted,
    compressesOver: isQcow2,
    resizes: isQcow2 || format === "raw",
    snapshots: isQcow2,
    zeroes: true,
    empties: false,
    discards: "as-qemu",
    bitmaps: isQcow2,
    keys: false,
    appliesOverBitmaps: true,
    encrypted,
    old: data["compat"] === "0.10",
    dataFile,
    backing: backing !== undefined || layer?.backing !== undefined,
    backingSize: backing?.layer?.virtualSize ?? 0,
    refcountBits: Number(data["refcount-bits"] ?? 0),
  };
}
