import { type ByteStore, isZero, roundUp, SECTOR } from "../bytes/mod.ts";
import {
  type FormatEditor,
  type ImageEditor,
  mustBeInside,
  mustGrow,
  type ResizeOptions,
  setLength,
} from "../format/mod.ts";
import { RawLayer } from "./layer.ts";

/** Changes raw images. */
export const rawEditor: FormatEditor = { open: (store) => new RawEditor(store) };

/** Bytes that are written at a time. */
const CHUNK = 2 ** 20;

/** A raw image that is changed: the file is the disk. */
class RawEditor implements ImageEditor {
  readonly #store: ByteStore;

  constructor(store: ByteStore) {
    this.#store = store;
  }

  get layer(): RawLayer {
    return new RawLayer(this.#store);
  }

  write(offset: number, bytes: Uint8Array): void {
    mustBeInside(this.#size, offset, bytes.length);
    this.#store.write(offset, bytes);
  }

  /** Zeros that are there already are not written, so that holes stay holes. */
  writeZeroes(offset: number, length: number): void {
    mustBeInside(this.#size, offset, length);
    writeZeroes(this.#store, offset, length);
  }

  /** The range reads as zeros, as in a file system that can make holes. */
  discard(offset: number, length: number): void {
    this.writeZeroes(offset, length);
  }

  resize(size: number, options: ResizeOptions = {}): void {
    const to = roundUp(size, SECTOR);
    mustGrow(this.#size, to, options);
    setLength(this.#store, to, options);
  }

  flush(): void {
    this.#store.flush();
  }

  close(): void {
    this.flush();
  }

  get #size(): number {
    return roundUp(this.#store.size, SECTOR);
  }
}

/** Writes zeros where there are other bytes. */
function writeZeroes(store: ByteStore, offset: number, length: number): void {
  const end = Math.min(offset + length, store.size);
  const zeros = new Uint8Array(Math.min(CHUNK, length));
  for (let at = offset; at < end; at += zeros.length) {
    const part = zeros.subarray(0, end - at);
    if (!isZero(store.read(at, part.length))) store.write(at, part);
  }
}
