/**
 * Random changes of qcow2 images that are built from models, and the plain bytes that they must equal.
 */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import {
  type ByteSource,
  MemorySource,
  MemoryStore,
  SegmentSource,
  utf8,
} from "../../src/bytes/mod.ts";
import {
  EditError,
  type GuestContent,
  type ImageEditor,
  laidOver,
  type Layer,
  patternBytes,
} from "../../src/format/mod.ts";
import { buildQcow2, guestContent } from "../../src/qcow2/build/mod.ts";
import { qcow2Format, type Qcow2Model } from "../../src/qcow2/mod.ts";
import { Findings } from "../../src/rules/mod.ts";

/** A change of an image. Positions are fractions of the disk or small distances from clusters. */
export interface Change {
  readonly kind: "write" | "zero" | "unmap" | "discard" | "compressed";
  /** Chooses the cluster. */
  readonly place: number;
  /** Bytes from its start to the start of the change, and its length, in 512ths of a cluster. */
  readonly skip: number;
  readonly length: number;
  readonly seed: number;
}

/** Changes of any kind. */
export const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record<Change>({
    kind: fc.constantFrom("write", "write", "write", "zero", "unmap", "discard", "compressed"),
    place: fc.nat(1000),
    skip: fc.oneof(fc.constant(0), fc.nat(511)),
    length: fc.oneof(fc.constantFrom(512, 1024, 1), fc.nat(2000)),
    seed: fc.nat(250),
  }),
  { minLength: 1, maxLength: 12 },
);

/** The content of a model as a source, over its backing file. */
class ModelSource implements ByteSource {
  readonly size: number;
  readonly #content: GuestContent;
  readonly #below: ByteSource;

  constructor(content: GuestContent, below: ByteSource) {
    this.size = content.virtualSize;
    this.#content = content;
    this.#below = below;
  }

  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    const { clusterSize } = this.#content;
    const end = Math.min(this.size, offset + target.length);
    target.fill(0);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / clusterSize);
      const start = index * clusterSize;
      const view = this.#content.at(index);
      const bytes = laidOver(view, this.#below.read(start, view.bytes.length), clusterSize);
      const part = bytes.subarray(at - start, end - start);
      target.set(part, at - offset);
      at += part.length;
    }
  }
}

/** The bytes of a backing file that is shorter than most disks. */
export const BELOW: ByteSource = new MemorySource(
  patternBytes({ kind: "noise", seed: 77 }, 10_000),
);

/** A built image in memory. */
export function storeOf(model: Qcow2Model): MemoryStore {
  const { segments, size } = buildQcow2(model).image;
  return new MemoryStore(new SegmentSource(segments, size));
}

/** An image that is open for changes, and the bytes that it must have. */
export interface Written {
  readonly model: Qcow2Model;
  readonly store: MemoryStore;
  readonly dataFile: MemoryStore | undefined;
  readonly below: ByteSource | undefined;
  readonly expected: MemoryStore;
  readonly editor: ImageEditor;
}

/** The passphrases that open an image. */
export function passphrasesOf(model: Qcow2Model): Uint8Array[] {
  return (qcow2Format.writer.passphrases?.(model) ?? []).map(utf8);
}

/** Opens a built image for changes; `undefined` if it must not be written to. */
export function openWritten(model: Qcow2Model, findings = new Findings()): Written | undefined {
  const { image, dataFile } = buildQcow2(model);
  const store = new MemoryStore(new SegmentSource(image.segments, image.size));
  const data = dataFile && new MemoryStore(new SegmentSource(dataFile.segments, dataFile.size));
  const below = model.backing === undefined ? undefined : BELOW;
  const editor = qcow2Format.editor?.open(store, findings, {
    ...(below === undefined ? {} : { below }),
    ...(data === undefined ? {} : { dataFile: data }),
    passphrases: passphrasesOf(model),
  });
  if (editor === undefined) return undefined;
  const base = new ModelSource(guestContent(model), below ?? new MemoryStore());
  return { model, store, dataFile: data, below, expected: new MemoryStore(base), editor };
}

/** Makes a change to the image and to the expected bytes. Returns the range; empty if it is rejected. */
export function apply(written: Written, change: Change): [from: number, to: number] {
  const { editor, expected, model } = written;
  const { virtualSize, clusterSize } = editor.layer;
  const clusters = Math.ceil(virtualSize / clusterSize);
  if (clusters === 0) return [0, 0];
  const named = guestContent(model).named;
  const near = change.place % 3 === 0 ? clusters - 1 : named[change.place % (named.length + 1)];
  const first = near ?? change.place % clusters;
  const unit = clusterSize / 512;
  let from = first * clusterSize + Math.floor(change.skip * unit);
  let to = from + Math.ceil(change.length * unit);
  if (change.kind === "compressed") {
    from = first * clusterSize;
    to = from + Math.max(1, Math.floor(change.length / 512)) * clusterSize;
  }
  from = Math.min(from, virtualSize);
  to = Math.min(to, virtualSize);
  const kind = (["noise", "fill", "text"] as const)[change.seed % 3] ?? "noise";
  const bytes = patternBytes({ kind, seed: change.seed }, to - from);
  if (change.kind === "write") {
    editor.write(from, bytes);
    expected.write(from, bytes);
  } else if (change.kind === "compressed") {
    try {
      editor.writeCompressed?.(from, bytes);
    } catch (error) {
      assert(error instanceof EditError, String(error));
      return [0, 0];
    }
    expected.write(from, bytes);
  } else if (change.kind === "discard") {
    editor.discard(from, to - from);
    if (model.version < 3 && model.backing !== undefined) return [0, 0];
    const start = Math.ceil(from / clusterSize) * clusterSize;
    const end = to === virtualSize ? to : Math.floor(to / clusterSize) * clusterSize;
    if (start < end) expected.write(start, new Uint8Array(end - start));
  } else {
    editor.writeZeroes(from, to - from, { unmap: change.kind === "unmap" });
    expected.write(from, new Uint8Array(to - from));
  }
  return [from, to];
}

/** What a layer shows of a range, over its backing file. */
export function seen(
  layer: Layer,
  below: ByteSource | undefined,
  [from, to]: readonly [number, number],
): Uint8Array {
  const target = new Uint8Array(to - from);
  for (const run of layer.runs(from, to)) {
    const part = target.subarray(run.start - from, run.start - from + run.length);
    if (run.kind === "unallocated") below?.readInto(run.start, part);
    else layer.readRun(run, 0, part);
  }
  return target;
}

/** Opens what is stored, as a reader does. */
function reopened({ store, dataFile, model }: Written): { layer: Layer; findings: Findings } {
  const findings = new Findings();
  const passphrases = passphrasesOf(model);
  const layer = qcow2Format.driver.open(store, findings, { passphrases });
  assert(layer !== undefined, "the image opens");
  if (dataFile !== undefined) layer.attachDataFile?.(dataFile);
  return { layer, findings };
}

/** Rules that an image may break before it is changed, and that a change does not mend. */
export function brokenRules(written: Written): string[] {
  const { layer, findings } = reopened(written);
  layer.judge(findings);
  layer.check?.(findings);
  return findings.list()
    .filter(({ level }) => level === "must")
    .map(({ rule }) => rule);
}

/** Throws unless the image has the expected content near `ranges`, and is sound. */
export function assertWritten(
  written: Written,
  ranges: readonly (readonly [number, number])[],
): void {
  const { model, below, expected, dataFile } = written;
  const { layer, findings } = reopened(written);
  const { clusterSize, virtualSize } = layer;
  const content = guestContent(model);
  const around = ranges.map(([from, to]) => [from - clusterSize, to + clusterSize] as const);
  const named = content.named.map((index) =>
    [index * clusterSize, (index + 1) * clusterSize] as const
  );
  const rest = [[0, clusterSize], [virtualSize - clusterSize, virtualSize]] as const;
  for (const [start, end] of [...around, ...named, ...rest]) {
    const from = Math.max(0, start);
    const to = Math.min(end, virtualSize);
    if (from >= to) continue;
    const actual = seen(layer, below, [from, to]);
    const wanted = expected.read(from, to - from);
    const at = actual.findIndex((byte, i) => byte !== wanted[i]);
    assert(at < 0, `guest offset ${from + at} reads as ${actual[at]}, not ${wanted[at]}`);
    if (model.dataFile?.raw === true && model.encryption === undefined) {
      assertEquals(dataFile?.read(from, to - from), wanted, "the data file is raw");
    }
  }
  for (const [view, { id }] of model.snapshots.entries()) {
    const kept = guestContent(model, view);
    const snapshot = layer.snapshot?.(id);
    for (const index of kept.named) {
      const from = index * clusterSize;
      const to = Math.min(from + clusterSize, virtualSize);
      if (from >= to) continue;
      assert(snapshot !== undefined, `there is the snapshot ${id}`);
      const was = laidOver(
        kept.at(index),
        below?.read(from, to - from) ?? new Uint8Array(to - from),
        clusterSize,
      );
      assertEquals(seen(snapshot, below, [from, to]), was, `snapshot ${id} at ${from}`);
    }
  }
  const counts = layer.check?.(findings);
  assertEquals(counts?.corruptions, 0, `check: ${JSON.stringify(findings.list())}`);
  assertEquals(counts?.checkErrors, 0);
  if (!model.dirty) assertEquals(counts?.leaks, model.placement.leaks, "leaks");
  const isChanged = ranges.some(([from, to]) => from < to);
  if (isChanged) assertEquals(layer.dirty, false);
}
