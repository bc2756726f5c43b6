import {
  type ByteSource,
  estimateHoles,
  FileSource,
  type Hole,
  holesOf,
  isSparse,
} from "../bytes/mod.ts";
import { AccessError, type Layer, type MapEntry } from "../format/mod.ts";
import { rawFormat } from "../raw/mod.ts";
import type { OpenedImage } from "./opened_image.ts";
import { imagesOf, layersOf } from "./chain.ts";
import { type Extent, extentsOf } from "./extents.ts";
import { wholeFile } from "./file_part.ts";

/** What a map comes to: its entries, and why it ended early where it did. */
export interface MapReport {
  /** The entries, in the order of the disk. */
  readonly entries: readonly MapEntry[];
  /** The first access that fails; absent where all can be looked up. */
  readonly error?: AccessError;
}

/**
 * The map of an image in qemu-img's shape. Like qemu-img's, it ends at the first entry that cannot be
 * looked up; the entry under construction is lost then.
 */
export function mapOf(
  image: OpenedImage,
  range?: { from: number; to: number },
): MapReport {
  const entries: MapEntry[] = [];
  try {
    for (const entry of mapEntries(image, range)) entries.push(entry);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return { entries, error };
  }
  return { entries };
}

/**
 * The entries one by one.
 *
 * @throws {AccessError} at the first entry that cannot be looked up
 */
export function* mapEntries(
  image: OpenedImage,
  range?: { from: number; to: number },
): Generator<MapEntry> {
  const layers = layersOf(image);
  const size = layers[0]?.virtualSize ?? 0;
  const from = range?.from ?? 0;
  const to = Math.min(range?.to ?? size, size);
  if (from >= to) {
    yield entryOf({ start: from, length: 0, depth: 0, present: false, zero: false, data: false });
    return;
  }
  const files = sparseFiles(image);
  const starts = startsOfParts(image);
  let pending: MapEntry | undefined;
  for (const extent of extentsOf(layers, from, to)) {
    if (extent.broken !== undefined) throw new AccessError(extent.broken);
    const start = starts.get(extent.layer) ?? 0;
    for (const part of split(extent, files.get(extent.layer))) {
      const entry = part.offset === undefined ? part : { ...part, offset: part.offset + start };
      const joined: MapEntry | undefined = pending && join(pending, entry);
      if (pending !== undefined && joined === undefined) yield pending;
      pending = joined ?? entry;
    }
  }
  if (pending !== undefined) yield pending;
}

type Flags = Pick<MapEntry, "start" | "length" | "depth" | "zero" | "data"> & {
  readonly present: boolean;
  readonly compressed?: boolean;
  readonly offset?: number;
};

function entryOf(flags: Flags): MapEntry {
  const { start, length, depth, present, zero, data, compressed = false, offset } = flags;
  const entry = { start, length, depth, present, zero, data, compressed };
  return offset === undefined ? entry : { ...entry, offset };
}

/** The map entries of one extent: one, or more where the file has holes. */
function* split(extent: Extent, file: SparseFile | undefined): Generator<MapEntry> {
  const { start, length, depth, run, zero, present } = extent;
  const data = !zero;
  const compressed = run.kind === "compressed";
  const flags = { depth, present, zero, data, compressed };
  // qemu-img gives no offset of encrypted bytes.
  if (run.host === undefined || extent.layer.encrypted) {
    yield entryOf({ ...flags, start, length });
    return;
  }
  const offset = run.host + (start - run.start);
  if (file === undefined || !data) {
    yield entryOf({ ...flags, start, length, offset });
    return;
  }
  let position = offset;
  const at = (host: number): number => start + host - offset;
  const range = { from: offset, to: offset + length };
  for (const hole of holesOf(file.source, range, file.holes)) {
    if (hole.start > position) {
      yield entryOf({
        ...flags,
        start: at(position),
        length: hole.start - position,
        offset: position,
      });
    }
    const entry = { ...flags, ...file.hole, start: at(hole.start), length: hole.length };
    yield entryOf({ ...entry, offset: hole.start });
    position = hole.start + hole.length;
  }
  if (position < offset + length) {
    const rest = offset + length - position;
    yield entryOf({ ...flags, start: at(position), length: rest, offset: position });
  }
}

/** The two entries as one, where qemu-img puts them together. */
function join(pending: MapEntry, entry: MapEntry): MapEntry | undefined {
  const same = pending.zero === entry.zero && pending.data === entry.data &&
    pending.compressed === entry.compressed && pending.depth === entry.depth &&
    pending.present === entry.present &&
    (pending.offset === undefined) === (entry.offset === undefined);
  if (!same) return undefined;
  if (pending.offset !== undefined && pending.offset + pending.length !== entry.offset) {
    return undefined;
  }
  return { ...pending, length: pending.length + entry.length };
}

/** Where raw images start in their files. QEMU gives offsets of other formats in the part. */
function startsOfParts(image: OpenedImage): Map<Layer, number> {
  const found = new Map<Layer, number>();
  for (const { source, layer, definition } of imagesOf(image)) {
    if (layer !== undefined && definition === rawFormat) found.set(layer, wholeFile(source).start);
  }
  return found;
}

/** A file whose holes are entries of their own. */
interface SparseFile {
  readonly source: ByteSource;
  readonly holes: readonly Hole[];
  /** How the map shows a hole. */
  readonly hole: Pick<Flags, "zero" | "data">;
}

/**
 * The layers with files whose holes a map shows: raw images, whose layer shows them only where they are
 * known, and images whose metadata QEMU treats as preallocated.
 */
function sparseFiles(image: OpenedImage): Map<Layer, SparseFile> {
  const found = new Map<Layer, SparseFile>();
  for (const { source, layer, definition } of imagesOf(image)) {
    const { file } = wholeFile(source);
    if (layer === undefined || !(file instanceof FileSource) || !isSparse(file)) continue;
    if (definition === rawFormat) {
      if (source === file && file.holes !== undefined) continue;
      found.set(layer, { source, holes: holesIn(source), hole: { zero: true, data: false } });
    } else if (isPreallocated(layer, file)) {
      const data = layer.dataFileSource ?? source;
      if (!(wholeFile(data).file instanceof FileSource)) continue;
      found.set(layer, { source: data, holes: holesIn(data), hole: { zero: true, data: true } });
    }
  }
  return found;
}

/** The holes of a file or of a part of one, as they are known or estimated. */
function holesIn(source: ByteSource): readonly Hole[] {
  const { file, start } = wholeFile(source);
  if (!(file instanceof FileSource)) return [];
  const holes = file.holes ?? (isSparse(file) ? estimateHoles(file) : []);
  return start === 0 ? holes : holes.map((hole) => ({ ...hole, start: hole.start - start }));
}

/**
 * Whether QEMU treats the metadata of an image as preallocated: more clusters are in use than the file
 * system has stored (qcow2_detect_metadata_preallocation).
 */
function isPreallocated(layer: Layer, { allocated }: FileSource): boolean {
  if (layer.clustersInUse === undefined || allocated === undefined) return false;
  const real = Math.floor(allocated / layer.clusterSize);
  const threshold = Math.max(Math.floor(real * 10 / 9), real + 2);
  return layer.clustersInUse(threshold) >= threshold;
}
