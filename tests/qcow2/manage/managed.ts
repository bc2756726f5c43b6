/** Images of qcow2 that are managed, and what each of their views must show. */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { qcow2Models } from "../../../fuzz/formats/qcow2/models.ts";
import {
  type ByteSource,
  type ByteStore,
  MemoryStore,
  SegmentSource,
} from "../../../src/bytes/mod.ts";
import { type ImageEditor, type Layer, patternBytes } from "../../../src/format/mod.ts";
import { buildQcow2, guestContent } from "../../../src/qcow2/build/mod.ts";
import { qcow2Format, type Qcow2Model } from "../../../src/qcow2/mod.ts";
import { Findings } from "../../../src/rules/mod.ts";
import { prefixes, RecordingStore } from "../../editing.ts";
import { BELOW, passphrasesOf, seen } from "../written.ts";

/** The content of a view in the clusters that are compared, by guest offset. */
export interface View {
  readonly size: number;
  readonly bytes: ReadonlyMap<number, Uint8Array>;
}

/** The active content and that of the snapshots by id. */
export interface Views {
  readonly active: View;
  readonly snapshots: ReadonlyMap<string, View>;
}

/** Small images of all kinds. */
export const managedModels: fc.Arbitrary<Qcow2Model> = fc.oneof(
  { weight: 5, arbitrary: qcow2Models({ clusterBitsMax: 12, limits: { l1Bytes: 4096 } }) },
  {
    weight: 1,
    arbitrary: qcow2Models({ clusterBitsMax: 12, limits: { l1Bytes: 4096 }, encryption: "some" }),
  },
);

/** An image that is open for changes. */
export class Managed {
  readonly model: Qcow2Model;
  readonly store: RecordingStore;
  readonly dataFile: ByteStore | undefined;
  readonly editor: ImageEditor;
  /** Guest offsets of the clusters that are compared. */
  readonly tracked: readonly number[];
  readonly #below: ByteSource | undefined;
  /** The image before any change. */
  readonly #before: ByteSource;

  private constructor(
    model: Qcow2Model,
    open: Pick<Managed, "store" | "dataFile" | "editor"> & { readonly before: ByteSource },
  ) {
    this.model = model;
    this.store = open.store;
    this.#before = open.before;
    this.dataFile = open.dataFile;
    this.editor = open.editor;
    this.#below = model.backing && BELOW;
    const { clusterSize, virtualSize } = open.editor.layer;
    const named = [undefined, ...model.snapshots.keys()]
      .flatMap((view) => [...guestContent(model, view).named]);
    const last = Math.floor((virtualSize - 1) / clusterSize);
    // Also where the disk is longer later.
    const near = [0, 1, 2, last, last + 1, last + 2, last + clusterSize / 8];
    const offsets = [...near, ...named]
      .map((index) => index * clusterSize);
    this.tracked = [...new Set(offsets)].filter((at) => at >= 0).sort((a, b) => a - b);
  }

  /** Opens a built image; `undefined` if it must not be written to. */
  static open(model: Qcow2Model): Managed | undefined {
    const { image, dataFile } = buildQcow2(model);
    const before = new SegmentSource(image.segments, image.size);
    const store = new RecordingStore(new MemoryStore(before));
    const data = dataFile && new MemoryStore(new SegmentSource(dataFile.segments, dataFile.size));
    const editor = qcow2Format.editor?.open(store, new Findings(), {
      ...(model.backing === undefined ? {} : { below: BELOW }),
      ...(data === undefined ? {} : { dataFile: data }),
      passphrases: passphrasesOf(model),
      now: () => 1_700_000_000_123_456_789n,
    });
    return editor && new Managed(model, { store, dataFile: data, editor, before });
  }

  /** What the image shows now. */
  views(): Views {
    return this.viewsOf(this.editor.layer);
  }

  viewsOf(layer: Layer): Views {
    const snapshots = (layer.snapshots ?? []).map(({ id, virtualSize }) => {
      const snapshot = layer.snapshot?.(id);
      assert(snapshot !== undefined);
      return [id, this.#view(snapshot, virtualSize)] as const;
    });
    return { active: this.#view(layer, layer.virtualSize), snapshots: new Map(snapshots) };
  }

  #view(layer: Layer, size: number): View {
    const bytes = this.tracked.filter((at) => at < size).map((at) => {
      const end = Math.min(at + layer.clusterSize, size);
      return [at, seen(layer, this.#below, [at, end])] as const;
    });
    return { size, bytes: new Map(bytes) };
  }

  /** What a crash can leave of the steps from `first` on. Each is valid until the next. */
  crashes(first: number): Iterable<ByteStore> {
    return prefixes(this.#before, this.store.steps, first);
  }

  /** Writes to a tracked cluster. */
  write(place: number, seed: number): void {
    const { clusterSize, virtualSize } = this.editor.layer;
    const at = this.tracked[place % this.tracked.length] ?? 0;
    const from = at + (seed % 3 === 0 ? 0 : Math.min(700, clusterSize / 2));
    const to = Math.min(virtualSize, at + clusterSize);
    if (from < to) this.editor.write(from, patternBytes({ kind: "noise", seed }, to - from));
  }

  /** Opens what is stored and checks it. Without `leaks`, it must not have more than at first. */
  check(store: ByteSource = this.store, { leaks = false } = {}): Layer {
    const findings = new Findings();
    const passphrases = passphrasesOf(this.model);
    const layer = qcow2Format.driver.open(store, findings, { passphrases });
    assert(layer !== undefined, "the image opens");
    if (this.dataFile !== undefined) layer.attachDataFile?.(this.dataFile);
    const counts = layer.check?.(findings);
    const text = JSON.stringify(findings.list().filter(({ level }) => level === "must"));
    assertEquals(counts?.corruptions, 0, text);
    assertEquals(counts?.checkErrors, 0, text);
    if (!leaks && !this.model.dirty) assertEquals(counts?.leaks, this.model.placement.leaks, text);
    return layer;
  }
}
