import { MemorySource } from "../../bytes/mod.ts";
import {
  EditError,
  type ImageEditor,
  type Layer,
  type ResizeOptions,
  type ZeroOptions,
} from "../../format/mod.ts";
import { rawFormat } from "../../raw/mod.ts";
import { probe, PROBE_BYTES, type ProbeOptions } from "../probe.ts";
import { GuestSource } from "../guest_source.ts";

/**
 * A raw image that was recognised as one by its bytes alone. As in QEMU (block/raw-format.c,
 * raw_co_pwritev), it does not become an image of another format: a guest could make the next reader
 * open any file that way.
 */
export class ProbedRawEditor implements ImageEditor {
  readonly #editor: ImageEditor;
  readonly #how: ProbeOptions;

  constructor(editor: ImageEditor, how: ProbeOptions) {
    this.#editor = editor;
    this.#how = how;
  }

  get layer(): Layer {
    return this.#editor.layer;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset >= 0 && offset < PROBE_BYTES && bytes.length > 0) this.#mustStayRaw(offset, bytes);
    this.#editor.write(offset, bytes);
  }

  #mustStayRaw(offset: number, bytes: Uint8Array): void {
    const length = Math.min(PROBE_BYTES, this.layer.virtualSize);
    const head = new GuestSource([this.layer]).read(0, length).slice();
    head.set(bytes.subarray(0, Math.max(0, length - offset)), offset);
    const { name, title } = probe(new MemorySource(head), this.#how);
    if (name === rawFormat.name) return;
    throw new EditError(
      `Cannot write to the first sector: the file would look like a ${title} image (the format raw ` +
        "was probed; name it to allow this)",
    );
  }

  writeZeroes(offset: number, length: number, options?: ZeroOptions): void {
    this.#editor.writeZeroes(offset, length, options);
  }

  discard(offset: number, length: number): void {
    this.#editor.discard(offset, length);
  }

  resize(size: number, options?: ResizeOptions): void {
    this.#editor.resize?.(size, options);
  }

  flush(): void {
    this.#editor.flush();
  }

  close(): void {
    this.#editor.close();
  }
}
