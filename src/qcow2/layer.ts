import { type ByteSource, roundDown, roundUp, SECTOR } from "../bytes/mod.ts";
import {
  type BackingReference,
  type BitmapSummary,
  type CheckCounts,
  type DamageSummary,
  type DataFileReference,
  EntryTable,
  imageText,
  type Layer,
  type LayerInfo,
  nameOf,
  type Run,
  type SnapshotSummary,
  type Watch,
} from "../format/mod.ts";
import { type BitmapDirectory, bitmapFlags, bitmapRanges } from "./bitmaps.ts";
import { type CheckedImage, checkImage } from "./check/check.ts";
import { StoredRefcounts, UNREADABLE } from "./check/refcounts.ts";
import { damageOf } from "./damage/damage.ts";
import { ContentReader } from "./content_reader.ts";
import { extensionData, extensionOf, has, type Qcow2File } from "./decode.ts";
import type { Encryption } from "./encryption.ts";
import type { Geometry } from "./geometry.ts";
import { qcow2Info } from "./info.ts";
import { backingNameBytes } from "./judge/backing.ts";
import { judgeWritableTables, MetadataClaims } from "./judge/overlap.ts";
import { judgeRefcountTable, judgeTables } from "./judge/walk.ts";
import { L2Cache } from "./l2_tables.ts";
import { mappedRuns, type Mapping } from "./runs.ts";
import { type Broken, type Findings, type FoundRule, inHeader } from "./findings.ts";
import type { Snapshot, SnapshotTable } from "./snapshots.ts";
import { compressionTypes, extensionTypes, limits } from "./structures.ts";

/** The parts of an image that are read when it is opened. */
export interface OpenedQcow2 {
  readonly file: Qcow2File;
  readonly geometry: Geometry;
  readonly snapshots: SnapshotTable;
  readonly bitmaps: BitmapDirectory | undefined;
  /** The encryption of the clusters. Absent if there is none or it is not known. */
  readonly encryption: Encryption | undefined;
}

/** The bits of bitmaps that are in use, by the offset of their entry in the file. */
export type TrackedBitmaps = ReadonlyMap<
  number,
  { ranges(): Iterable<{ readonly start: number; readonly length: number }> }
>;

/** A qcow2 image without its backing file: its active content, or that of a snapshot. */
export class Qcow2Layer implements Layer {
  readonly format = "qcow2";
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly encrypted: boolean;
  readonly dirty: boolean;
  readonly backing?: BackingReference;
  readonly dataFile?: DataFileReference;
  /** Bitmaps whose bits are in memory until they are stored, by the offset of their entry. */
  trackedBitmaps?: TrackedBitmaps;
  readonly #image: OpenedQcow2;
  readonly #mapping: Mapping;
  readonly #snapshot: Snapshot | undefined;
  #dataSource: ByteSource | undefined;
  #reader: ContentReader;

  constructor(image: OpenedQcow2, snapshot?: { entry: Snapshot; index: number }) {
    const { file, geometry } = image;
    const { header, source } = file;
    this.#image = image;
    this.#snapshot = snapshot?.entry;
    this.virtualSize = roundDown(Number(header.size / BigInt(SECTOR)) * SECTOR, SECTOR);
    this.clusterSize = geometry.clusterSize;
    this.encrypted = header.crypt_method !== 0;
    this.dirty = has(file, "dirty");
    const table = snapshot?.entry ?? header;
    this.#mapping = {
      geometry,
      version: header.version,
      dataFile: has(file, "dataFile"),
      l1: new EntryTable(source, Number(table.l1_table_offset), table.l1_size),
      l2: new L2Cache(source, geometry),
      path: snapshot === undefined ? "/" : `/snapshot[${snapshot.index}]/`,
    };
    const backing = backingReference(file);
    if (backing !== undefined) this.backing = backing;
    if (has(file, "dataFile")) this.dataFile = dataFileReference(file);
    else this.#dataSource = source;
    this.#reader = this.#newReader();
  }

  get unlocked(): boolean {
    return typeof this.#image.encryption?.access === "function";
  }

  #newReader(): ContentReader {
    const { file, encryption } = this.#image;
    return new ContentReader(this.#mapping, {
      file: file.source,
      data: this.#dataSource,
      ...(this.encrypted ? { access: encryption?.access ?? UNKNOWN_ENCRYPTION } : {}),
      compression: file.header.compression_type === compressionTypes.zstd ? "zstd" : "deflate",
    });
  }

  attachDataFile(source: ByteSource): void {
    this.#dataSource = source;
    this.#reader = this.#newReader();
  }

  runs(from: number, to: number): Iterable<Run> {
    return mappedRuns(this.#mapping, from, to);
  }

  readRun(run: Run, skip: number, target: Uint8Array): void {
    this.#reader.readRun(run, skip, target);
  }

  get tableBytes(): number {
    return this.#mapping.l2.tablesRead * this.clusterSize;
  }

  info(): LayerInfo {
    return qcow2Info(this.#image.file, this.#image);
  }

  get dataFileSource(): ByteSource | undefined {
    return this.dataFile === undefined ? undefined : this.#dataSource;
  }

  clustersInUse(limit: number): number {
    const { file, geometry } = this.#image;
    const stored = new StoredRefcounts(file, geometry);
    const clusters = Math.ceil(roundUp(file.source.size, SECTOR) / geometry.clusterSize);
    let count = 0;
    for (let i = 0; i < clusters && count < limit; i++) {
      const refcount = stored.of(i);
      // QEMU stops at the first one that it cannot read.
      if (refcount === UNREADABLE) return 0;
      if (refcount !== 0) count++;
    }
    return count;
  }

  get snapshots(): readonly SnapshotSummary[] {
    return Array.from(this.#image.snapshots.snapshots, ({ id, name, diskSize }) => ({
      id: imageText(id),
      name: imageText(name),
      virtualSize: diskSize === undefined ? this.virtualSize : Number(diskSize),
    }));
  }

  get bitmaps(): readonly BitmapSummary[] {
    const { file, geometry, bitmaps } = this.#image;
    const size = this.virtualSize;
    return Array.from(bitmaps?.bitmaps ?? [], (bitmap) => {
      const tracked = this.trackedBitmaps?.get(bitmap.offset);
      return {
        name: imageText(bitmap.name),
        granularity: 2 ** bitmap.granularity_bits,
        inUse: tracked === undefined && (bitmap.flags & bitmapFlags.inUse) !== 0,
        auto: (bitmap.flags & bitmapFlags.auto) !== 0,
        ranges: () => tracked?.ranges() ?? bitmapRanges(file, bitmap, { size, geometry }),
      };
    });
  }

  /** The image as one of its snapshots, found by id or else by name, in QEMU's order. */
  snapshot(name: string): Qcow2Layer | undefined {
    const { snapshots } = this.#image.snapshots;
    const byId = snapshots.findIndex((candidate) => imageText(candidate.id) === name);
    const index = byId >= 0
      ? byId
      : snapshots.findIndex((candidate) => imageText(candidate.name) === name);
    const entry = snapshots.at(index);
    if (entry === undefined) return undefined;
    const layer = new Qcow2Layer(this.#image, { entry, index });
    if (this.#dataSource !== undefined) layer.attachDataFile(this.#dataSource);
    return layer;
  }

  judge(
    findings: Findings,
    { decompress = true, watch }: { readonly decompress?: boolean; readonly watch?: Watch } = {},
  ): void {
    const stored = new StoredRefcounts(this.#image.file, this.#image.geometry);
    const image = { ...this.#image, mapping: this.#mapping, stored };
    judgeRefcountTable(image, findings);
    const claims = this.#snapshot === undefined ? new MetadataClaims(image) : undefined;
    if (claims !== undefined) judgeWritableTables(image, claims, findings);
    const dataSize = this.dataFileSource?.size;
    const reader = decompress ? this.#reader : undefined;
    const tables = { ...image, reader, size: this.virtualSize, claims, dataSize, watch };
    judgeTables(tables, findings);
  }

  check(findings: Findings, { watch }: { readonly watch?: Watch } = {}): CheckCounts | undefined {
    return checkImage(this.checked(), findings, watch);
  }

  damage(): DamageSummary | undefined {
    return damageOf(this.checked(), this.#mapping);
  }

  /** What `check` works on. */
  checked(): CheckedImage {
    const { file, snapshots, bitmaps } = this.#image;
    const { l1 } = this.#mapping;
    return { file, context: this.#mapping, size: this.virtualSize, l1, snapshots, bitmaps };
  }
}

/** The encryption has no readable header. */
const UNKNOWN_ENCRYPTION: Broken = {
  rule: "qcow2.crypt.key-present",
  place: inHeader("crypt_method"),
  message: "The clusters are encrypted, and there is no encryption header",
};

function backingReference(file: Qcow2File): BackingReference | undefined {
  const name = backingNameBytes(file);
  if (name === undefined) return undefined;
  const extension = extensionOf(file, extensionTypes.backingFormat);
  const sound = extension !== undefined && extension.length <= limits.backingFormat;
  const format = sound ? imageText(extensionData(file, extension)) : "";
  return { name: nameOf(name), ...(format === "" ? {} : { format }) };
}

function dataFileReference(file: Qcow2File): DataFileReference {
  const extension = extensionOf(file, extensionTypes.dataFile);
  const rule: FoundRule = "qcow2.datafile.opens";
  if (extension === undefined) return { rule };
  return { rule, name: nameOf(extensionData(file, extension)) };
}
