import type { ByteSource, ByteStore } from "../../bytes/mod.ts";
import { AccessError, EditError, type EditOptions } from "../../format/mod.ts";
import { readBitmaps } from "../judge/bitmaps.ts";
import { readSnapshotTable } from "../judge/snapshots.ts";
import { decodeQcow2, has, type Qcow2File } from "../decode.ts";
import { HALF, writeWords } from "../encode/entries.ts";
import { openQcow2 } from "../driver.ts";
import type { Findings } from "../findings.ts";
import type { Geometry } from "../geometry.ts";
import type { EntryContext } from "../l2_entries.ts";
import { type OpenedQcow2, Qcow2Layer } from "../layer.ts";
import { features } from "../structures.ts";
import { admit } from "./admission.ts";
import { CompressedSpace } from "./compressed_space.ts";
import { type HeaderFields, writeHeaderFields } from "./header.ts";
import { repairDirty } from "./repair_dirty.ts";
import type { Clusters, HostFile } from "./host.ts";
import { Refcounts } from "./refcounts.ts";

/** What every change needs of the header. */
interface Facts extends EntryContext {
  readonly virtualSize: number;
  readonly hasBacking: boolean;
}

function factsOf(opened: OpenedQcow2): Facts {
  const { virtualSize, backing } = new Qcow2Layer(opened);
  return {
    virtualSize,
    hasBacking: backing !== undefined,
    geometry: opened.geometry,
    version: opened.file.header.version,
    dataFile: has(opened.file, "dataFile"),
  };
}

/**
 * An image that is open for changes: its stores, its structures as they are now, and the order of writes.
 *
 * A change has two halves with a {@link barrier} between them. The first writes what nothing refers to
 * yet: data, tables, and refcounts of allocated clusters. The second writes the entries that refer to
 * it. Clusters that no entry refers to any more go to {@link free}; their refcounts are decreased after
 * the next barrier. After a crash at any time, refcounts are therefore at least the number of
 * references, and everything that is referred to is complete.
 *
 * Everything that changes the image is inside of {@link change}.
 */
export class WritableImage implements HostFile {
  readonly store: ByteStore;
  /** The external data file, if the image has one. */
  readonly dataFile: ByteStore | undefined;
  readonly refcounts: Refcounts;
  readonly compressed: CompressedSpace;
  readonly options: EditOptions;
  #opened: OpenedQcow2;
  #facts: Facts;
  #layer: Qcow2Layer | undefined;
  /** Clusters whose references are gone, or going with the writes before the next barrier. */
  #freed: Clusters[] = [];
  /** Clusters that were allocated and that nothing refers to yet. */
  #unlinked: Clusters[] = [];
  #begun = false;

  private constructor(store: ByteStore, opened: OpenedQcow2, options: EditOptions) {
    this.store = store;
    this.dataFile = has(opened.file, "dataFile") ? options.dataFile : undefined;
    this.options = options;
    this.#opened = opened;
    this.#facts = factsOf(opened);
    this.refcounts = new Refcounts(this);
    this.compressed = new CompressedSpace(this);
  }

  /**
   * Opens an image. Nothing is written before the first change.
   *
   * @returns `undefined` if a finding says that it must not be written
   */
  static open(
    store: ByteStore,
    findings: Findings,
    options: EditOptions = {},
  ): WritableImage | undefined {
    const opened = admit(store, findings, options);
    return opened && new WritableImage(store, opened, options);
  }

  /** Opens an image to repair it, however damaged its tables are. */
  static openDamaged(
    store: ByteStore,
    findings: Findings,
    options: EditOptions = {},
  ): WritableImage | undefined {
    const opened = openQcow2(store, findings, options);
    return opened && new WritableImage(store, opened, options);
  }

  /** The header and its extensions as they are now. */
  get file(): Qcow2File {
    return this.#opened.file;
  }

  get geometry(): Geometry {
    return this.#opened.geometry;
  }

  /** What an open reads, as it is now. */
  get opened(): OpenedQcow2 {
    return this.#opened;
  }

  /** The image as it is now. It is valid until the next change. */
  get layer(): Qcow2Layer {
    if (this.#layer === undefined) {
      this.#layer = new Qcow2Layer(this.#opened);
      if (this.dataFile !== undefined) this.#layer.attachDataFile(this.dataFile);
    }
    return this.#layer;
  }

  /** The length of the disk in bytes. */
  get virtualSize(): number {
    return this.#facts.virtualSize;
  }

  /** The version of the format: 2 or 3. */
  get version(): number {
    return this.context.version;
  }

  /** What entries mean in this image. */
  get context(): EntryContext {
    return this.#facts;
  }

  /** The external data file is a raw image of the disk. */
  get dataIsRaw(): boolean {
    return this.dataFile !== undefined &&
      (this.file.header.autoclear_features & features.rawExternal) !== 0n;
  }

  /** Whether the image names a backing file. */
  get hasBacking(): boolean {
    return this.#facts.hasBacking;
  }

  /**
   * The content of the backing file; `undefined` if there is none.
   *
   * @throws {EditError} if there is one and it is not open
   */
  get below(): ByteSource | undefined {
    if (!this.hasBacking) return undefined;
    if (this.options.below === undefined) throw new EditError("The backing file is not open");
    return this.options.below;
  }

  /** Forgets the layer, after tables were written. */
  changed(): void {
    this.#layer = undefined;
  }

  /** Decodes the header, the snapshot table and the bitmap directory again, after they were written. */
  reopen(): void {
    const file = decodeQcow2(this.store);
    const snapshots = readSnapshotTable(file);
    const geometry = file.geometry ?? this.geometry;
    this.#opened = { ...this.#opened, file, geometry, snapshots, bitmaps: readBitmaps(file) };
    this.#facts = factsOf(this.#opened);
    this.changed();
  }

  /** Changes fields of the header in one write. */
  setHeader(fields: HeaderFields): void {
    writeHeaderFields(this.store, fields);
    this.reopen();
  }

  /** Clears the dirty bit. */
  clearDirty(): void {
    const { incompatible_features } = this.file.header;
    this.setHeader({ incompatible_features: incompatible_features & ~features.dirty });
  }

  /** Halves of 64-bit table entries at a byte offset. */
  words(offset: number, count: number): number[] {
    const bytes = this.store.read(offset, count * HALF);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const words = new Array<number>(count);
    for (let i = 0; i < count; i++) words[i] = view.getUint32(i * HALF);
    return words;
  }

  /** Writes halves of 64-bit table entries at a byte offset. */
  setWords(offset: number, words: readonly number[]): void {
    const bytes = new Uint8Array(words.length * HALF);
    writeWords(bytes, 0, words);
    this.store.write(offset, bytes);
    this.changed();
  }

  /**
   * Allocates contiguous clusters, with a refcount of 1.
   *
   * @param from number of the first cluster that may be used
   * @returns the number of the first one
   */
  allocate(count: number, from = 0): number {
    const first = this.refcounts.allocate(count, from);
    this.#unlinked.push({ first, count });
    return first;
  }

  /** Adds a reference to clusters; like an allocation, it is taken back if the change fails. */
  reference(clusters: Clusters): void {
    this.refcounts.add(clusters, 1);
    this.#unlinked.push(clusters);
  }

  /** Releases a reference to clusters after the next barrier. */
  free(clusters: Clusters): void {
    if (clusters.count > 0) this.#freed.push(clusters);
  }

  /**
   * Makes everything before it durable before everything after it. From here on, entries may refer to
   * what was allocated.
   */
  barrier(): void {
    this.dataFile?.flush();
    this.store.flush();
    this.#unlinked = [];
    const freed = this.#freed;
    this.#freed = [];
    for (const clusters of freed) this.#release(clusters);
  }

  #release(clusters: Clusters): void {
    this.refcounts.add(clusters, -1);
    this.compressed.released(clusters);
  }

  /**
   * Runs a change. On its first run, what QEMU changes when it opens an image for writing is changed:
   * unknown autoclear bits are cleared, and a dirty image is repaired. When it returns, no cluster is
   * leaked.
   *
   * @throws {EditError} if the image does not allow the change; allocated clusters are released
   */
  change<T>(body: () => T): T {
    try {
      if (!this.#begun) this.#begin();
      const result = body();
      this.#settle();
      return result;
    } catch (error) {
      if (error instanceof EditError) this.#takeBack();
      else if (error instanceof AccessError) {
        this.#takeBack();
        throw new EditError(`${error.broken.rule}: ${error.message}`, { cause: error });
      } else this.#forget();
      throw error;
    }
  }

  /** Releases what the change does not use any more. */
  #settle(): void {
    if (this.#freed.length > 0) this.barrier();
    this.#unlinked = [];
  }

  /** Releases what was allocated for the part of a change that did not happen. */
  #takeBack(): void {
    for (const clusters of this.#unlinked) this.#release(clusters);
    this.#settle();
  }

  /** After a store failed: the file may not be what is known of it, and clusters may stay leaked. */
  #forget(): void {
    this.#unlinked = [];
    this.#freed = [];
    this.refcounts.invalidate();
    this.compressed.invalidate();
    this.#begun = false;
    this.changed();
  }

  #begin(): void {
    this.reopen();
    const { autoclear_features } = this.file.header;
    if ((autoclear_features & features.unknownAutoclear) !== 0n) {
      this.setHeader({ autoclear_features: autoclear_features & ~features.unknownAutoclear });
      this.store.flush();
    }
    if (this.layer.dirty) repairDirty(this);
    this.#begun = true;
  }

  /** Makes everything durable. */
  flush(): void {
    this.dataFile?.flush();
    this.store.flush();
  }
}
