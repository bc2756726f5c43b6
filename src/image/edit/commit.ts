import { AccessError, EditError, type ImageEditor } from "../../format/mod.ts";

/** Bytes that are copied at a time. */
const CHUNK = 2 ** 20;

/** An error about the overlay of a commit, and not about its backing file. */
export class OverlayError extends Error {
  override readonly name = "OverlayError";

  /** @param cause the error of the overlay */
  constructor(override readonly cause: unknown) {
    super("The overlay cannot be committed");
  }
}

/**
 * Writes the content of an overlay into its backing file, and then empties the overlay, as
 * `qemu-img commit` does. What the overlay shows does not change, wherever this stops.
 *
 * @param how `keep`: do not empty the overlay
 * @returns a generator that stops after each piece, so that the caller can pause
 * @throws {EditError} if the backing file cannot be changed in this way
 * @throws {OverlayError} if the overlay cannot be read or emptied
 */
export function* commitInto(
  base: ImageEditor,
  overlay: ImageEditor,
  how: { readonly keep?: boolean } = {},
): Generator<void, void> {
  const { layer } = overlay;
  growTo(base, layer.virtualSize);
  const buffer = new Uint8Array(CHUNK);
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.broken !== undefined) throw new OverlayError(new AccessError(run.broken));
    if (run.kind === "unallocated") continue;
    if (run.kind === "zero") {
      base.writeZeroes(run.start, run.length, { unmap: true });
      yield;
      continue;
    }
    for (let skip = 0; skip < run.length; skip += CHUNK) {
      const bytes = buffer.subarray(0, Math.min(CHUNK, run.length - skip));
      ofOverlay(() => layer.readRun(run, skip, bytes));
      base.write(run.start + skip, bytes);
      yield;
    }
  }
  base.flush();
  if (how.keep !== true) ofOverlay(() => overlay.makeEmpty?.());
}

function ofOverlay(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new OverlayError(error);
  }
}

/** Makes a disk as long as its overlay. The overlay has zeros there. */
function growTo(base: ImageEditor, size: number): void {
  const { virtualSize, encrypted, backing } = base.layer;
  if (virtualSize >= size) return;
  if (base.resize === undefined) {
    throw new EditError(
      `The backing file has ${virtualSize} bytes, fewer than the overlay, and its size is fixed`,
    );
  }
  base.resize(size);
  // Zeros in an encrypted file are other bytes on the disk, and a backing file can be longer.
  if (encrypted || backing !== undefined) base.writeZeroes(virtualSize, size - virtualSize);
}
