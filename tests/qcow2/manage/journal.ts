/** A store that records what is written, and the states that a crash can leave. */
import { type ByteSource, type ByteStore, MemoryStore } from "../../../src/bytes/mod.ts";

/** A change of a store: bytes at an offset, or a new length. */
type Entry = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number };

/** A store in memory that records its changes. */
export class JournalStore extends MemoryStore {
  readonly #base: ByteSource;
  readonly #entries: Entry[] = [];

  constructor(base: ByteSource) {
    super(base);
    this.#base = base;
  }

  override write(offset: number, bytes: Uint8Array): void {
    this.#entries.push({ offset, bytes: bytes.slice() });
    super.write(offset, bytes);
  }

  override resize(size: number): void {
    this.#entries.push({ size });
    super.resize(size);
  }

  /** Number of changes. */
  get changes(): number {
    return this.#entries.length;
  }

  /** What is stored after each number of changes from `first` on. Each is valid until the next. */
  *prefixes(first = 0): Generator<ByteStore> {
    const store = new MemoryStore(this.#base);
    for (const [index, entry] of this.#entries.entries()) {
      if (index >= first) yield store;
      if ("size" in entry) store.resize(entry.size);
      else store.write(entry.offset, entry.bytes);
    }
  }
}
