import type { ByteSource } from "../bytes/mod.ts";
import type { Layer } from "../format/mod.ts";
import { readContent } from "./content.ts";

/** The guest content of an image as bytes for another format to be in. */
export class GuestSource implements ByteSource {
  readonly size: number;
  readonly #layers: readonly Layer[];

  /** @param layers from the top down; at least one */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    this.size = layers[0]?.virtualSize ?? 0;
  }

  /** @throws {AccessError} where QEMU's read fails */
  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    const inside = Math.max(0, Math.min(target.length, this.size - offset));
    if (inside > 0) target.set(readContent(this.#layers, offset, inside));
    target.fill(0, inside);
  }
}
