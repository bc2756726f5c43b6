import type { ByteSource } from "../../src/bytes/mod.ts";
import type { Layer } from "../../src/format/mod.ts";
import { extentsOf, readContent } from "../../src/image/mod.ts";
import { Failure } from "../engine/target.ts";
import type { ExpectedDisk } from "../generate/disk.ts";

const CHUNK = 2 ** 20;

/**
 * Holds what the reader makes of an image against what a guest should see of it.
 *
 * @throws {Failure} where the two differ
 */
export function assertContent(
  layers: readonly Layer[],
  expected: ExpectedDisk,
  what: string,
): void {
  const size = layers[0]?.virtualSize ?? 0;
  if (size !== expected.size) {
    throw new Failure("content.size", `${what}: ${size} bytes, and ${expected.size} in the model`);
  }
  for (const { start, end } of expected.ranges) {
    for (let at = start; at < end; at += CHUNK) {
      const length = Math.min(CHUNK, end - at);
      assertPart(layers, { at, bytes: expected.read(at, length), what });
    }
    // A read that begins in the middle has to find the same there.
    const middle = start + Math.floor((end - start) * MIDDLE);
    const bytes = expected.read(middle, Math.min(CHUNK, end - middle));
    assertPart(layers, { at: middle, bytes, what });
  }
  assertNothingElse(layers, { expected, size, what });
}

const MIDDLE = 0.7;

function assertPart(
  layers: readonly Layer[],
  { at, bytes, what }: { at: number; bytes: Uint8Array; what: string },
): void {
  const differs = firstDifference(readContent(layers, BigInt(at), bytes.length), bytes);
  if (differs < 0) return;
  const place = at + differs;
  throw new Failure("content.bytes", `${what}: another byte than in the model at ${place}`);
}

/** Outside of what the model names there is nothing: no layer claims to hold data there. */
function assertNothingElse(
  layers: readonly Layer[],
  { expected, size, what }: { expected: ExpectedDisk; size: number; what: string },
): void {
  let next = 0;
  for (const extent of extentsOf(layers, 0, size)) {
    if (extent.zero) continue;
    const end = extent.start + extent.length;
    while (next < expected.ranges.length && (expected.ranges[next]?.end ?? 0) <= extent.start) {
      next++;
    }
    const range = expected.ranges[next];
    if (range !== undefined && range.start <= extent.start && end <= range.end) continue;
    throw new Failure("content.extra", `${what}: data at ${extent.start} that no model names`);
  }
}

/** Index of the first byte in which the two differ, or -1. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) if (left[i] !== right[i]) return i;
  return left.length === right.length ? -1 : length;
}

/** A source that counts what reading past its end costs: those bytes are made for the reader. */
export class MeteredSource implements ByteSource {
  readonly size: number;
  /** Bytes past the end that were asked for. */
  made = 0;
  readonly #base: ByteSource;

  constructor(base: ByteSource) {
    this.#base = base;
    this.size = base.size;
  }

  read(offset: number, length: number): Uint8Array {
    this.#count(offset, length);
    return this.#base.read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#base.readInto(offset, target);
  }

  #count(offset: number, length: number): void {
    this.made += Math.min(length, Math.max(0, offset + length - this.size));
  }
}
