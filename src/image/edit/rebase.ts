import { type ByteSource, roundDown } from "../../bytes/mod.ts";
import { EditError } from "../../format/mod.ts";
import { layersOf } from "../chain.ts";
import { GuestSource } from "../guest_source.ts";
import type { OpenedImage } from "../opened_image.ts";
import type { EditedImage } from "./open.ts";

/** Bytes that are compared at a time, or one cluster. */
const CHUNK = 2 ** 20;

/**
 * Copies into an image what it shows of its backing file and would not show of another one, as
 * `qemu-img rebase` does before it changes the name.
 *
 * @param to the other backing file; absent for none
 * @returns a generator that stops after each piece, so that the caller can pause
 * @throws {EditError} if the image cannot be changed
 * @throws {AccessError} if a backing file cannot be read
 */
export function* keepContent(image: EditedImage, to?: OpenedImage): Generator<void, void> {
  const { editor, backing } = image;
  if (editor === undefined) throw new EditError("Cannot change the image");
  const [old, other] = [backing, to].map((below) => below && new GuestSource(layersOf(below)));
  const { clusterSize, virtualSize } = editor.layer;
  const unit = Math.max(clusterSize, roundDown(CHUNK, clusterSize));
  for (const run of [...editor.layer.runs(0, virtualSize)]) {
    if (run.kind !== "unallocated") continue;
    const end = run.start + run.length;
    for (let at = run.start; at < end;) {
      const next = Math.min(end, roundDown(at, unit) + unit);
      const before = read(old, at, next - at);
      const after = read(other, at, next - at);
      for (let from = at; from < next;) {
        const stop = Math.min(next, roundDown(from, clusterSize) + clusterSize);
        const bytes = before.subarray(from - at, stop - at);
        // Zeros are written like other bytes: as zeros, the old backing file would already have them.
        if (!isEqual(bytes, after.subarray(from - at, stop - at))) editor.write(from, bytes);
        from = stop;
      }
      at = next;
      yield;
    }
  }
  editor.flush();
}

function read(source: ByteSource | undefined, offset: number, length: number): Uint8Array {
  return source?.read(offset, length) ?? new Uint8Array(length);
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, index) => byte === other[index]);
}
