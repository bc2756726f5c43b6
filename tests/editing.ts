/** Random changes of an image, and what its content is after them. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type ByteSource, type ByteStore, MemoryStore } from "../src/bytes/mod.ts";
import { EditError, type ImageEditor } from "../src/format/mod.ts";
import { layersOf, readContent } from "../src/image/mod.ts";
import type { EditedImage } from "../src/image/edit/mod.ts";

/** A change of a disk. */
export interface Change {
  readonly kind: "write" | "zeroes" | "compressed";
  readonly offset: number;
  readonly length: number;
  readonly fill: number;
}

/** Changes of a disk of `size` bytes, most of which start or end near a multiple of `unit`. */
export function changes(size: number, unit: number): fc.Arbitrary<Change[]> {
  const near = fc.tuple(fc.nat(Math.floor(size / unit)), fc.integer({ min: -2, max: 513 }))
    .map(([index, more]) => Math.min(size, Math.max(0, index * unit + more)));
  const position = fc.oneof(near, fc.nat(size));
  const change = fc.record({
    kind: fc.constantFrom<Change["kind"]>("write", "write", "zeroes", "compressed"),
    ends: fc.tuple(position, fc.oneof(position, fc.nat(Math.min(size, 3 * unit)))),
    fill: fc.integer({ min: 1, max: 255 }),
  }).map(({ kind, ends: [from, to], fill }): Change => {
    if (kind === "compressed") {
      const offset = Math.floor(Math.min(from, size - 1) / unit) * unit;
      return { kind, offset, length: Math.min(unit, size - offset), fill };
    }
    const offset = Math.min(from, to);
    return { kind, offset, length: Math.abs(to - from), fill };
  });
  return fc.array(change, { minLength: 1, maxLength: 8 });
}

/** The bytes that a change writes. */
export function bytesOf({ kind, length, fill }: Change): Uint8Array {
  const bytes = new Uint8Array(length);
  if (kind !== "zeroes") { for (let at = 0; at < length; at++) bytes[at] = fill + (at >> 4); }
  return bytes;
}

/** Makes a change. A compressed write is an ordinary one where the format has none. */
export function make(editor: ImageEditor, change: Change): void {
  const bytes = bytesOf(change);
  if (change.kind === "zeroes") editor.writeZeroes(change.offset, change.length);
  else if (change.kind === "compressed" && editor.writeCompressed !== undefined) {
    editor.writeCompressed(change.offset, bytes);
  } else editor.write(change.offset, bytes);
}

/** The content of an image now. */
export function contentNow(image: EditedImage): Uint8Array {
  const layers = layersOf(image);
  return readContent(layers, 0, layers[0]?.virtualSize ?? 0);
}

/** The editor of an image that can be written to. */
export function editorOf({ editor, findings }: EditedImage): ImageEditor {
  if (editor !== undefined) return editor;
  throw new EditError(`There is no editor: ${findings.list()[0]?.message}`);
}

/** A change of a store. */
export type Step =
  | { readonly offset: number; readonly bytes: Uint8Array }
  | { readonly size: number }
  | "flush";

/** A store that remembers what was done to it. */
export class RecordingStore implements ByteStore {
  readonly steps: Step[] = [];
  readonly #store: ByteStore;

  constructor(store: ByteStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#store.size;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#store.read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#store.readInto(offset, target);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.steps.push({ offset, bytes: bytes.slice() });
    this.#store.write(offset, bytes);
  }

  resize(size: number): void {
    this.steps.push({ size });
    this.#store.resize(size);
  }

  flush(): void {
    this.steps.push("flush");
    this.#store.flush();
  }
}

/**
 * What a store can be after a crash: the steps up to any point, and of those since the last flush also
 * each one without the others.
 */
export function* crashes(before: ByteSource, steps: readonly Step[]): Generator<MemoryStore> {
  for (let end = 0; end <= steps.length; end++) {
    yield replayed(before, steps.slice(0, end));
    const step = steps[end];
    const flushed = steps.slice(0, end).lastIndexOf("flush") + 1;
    if (step !== undefined && flushed < end) {
      yield replayed(before, [...steps.slice(0, flushed), step]);
    }
  }
}

function replayed(before: ByteSource, steps: readonly Step[]): MemoryStore {
  const store = new MemoryStore(before);
  for (const step of steps) redo(store, step);
  return store;
}

function redo(store: ByteStore, step: Step): void {
  if (step === "flush") return;
  if ("size" in step) store.resize(step.size);
  else store.write(step.offset, step.bytes);
}

/** What a store is before each change from step `first` on. Each is valid until the next. */
export function* prefixes(
  before: ByteSource,
  steps: readonly Step[],
  first = 0,
): Generator<ByteStore> {
  const store = new MemoryStore(before);
  for (const [index, step] of steps.entries()) {
    if (index >= first && step !== "flush") yield store;
    redo(store, step);
  }
}

/** Compares content, and says where it differs first. */
export function assertContent(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert(at < 0, `the byte at ${at} is ${actual[at]}, not ${expected[at]}`);
}
