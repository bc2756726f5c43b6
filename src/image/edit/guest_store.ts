import type { ByteStore } from "../../bytes/mod.ts";
import { EditError, type ImageEditor, type Layer } from "../../format/mod.ts";
import { GuestSource } from "../guest_source.ts";

/** The guest content of an image that is changed, as bytes for another format to be in. */
export class GuestStore implements ByteStore {
  readonly #editor: ImageEditor;
  readonly #below: readonly Layer[];

  /** @param below the layers of its backing files, from the top down */
  constructor(editor: ImageEditor, below: readonly Layer[] = []) {
    this.#editor = editor;
    this.#below = below;
  }

  get size(): number {
    return this.#editor.layer.virtualSize;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#source().read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#source().readInto(offset, target);
  }

  #source(): GuestSource {
    return new GuestSource([this.#editor.layer, ...this.#below]);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#editor.write(offset, bytes);
  }

  resize(size: number): void {
    if (this.#editor.resize === undefined) {
      throw new EditError("Cannot change the size of the disk");
    }
    this.#editor.resize(size, { shrink: true });
  }

  flush(): void {
    this.#editor.flush();
  }
}
