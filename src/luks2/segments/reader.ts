import { type ByteSource, SECTOR, startsWith } from "../../bytes/mod.ts";
import { readSectors } from "../../format/mod.ts";
import { canonicalHash, hash, hashTable, type SectorCipher } from "../../crypto/mod.ts";
import { cipherOf } from "../encryption.ts";
import type { Content, ReadableExtent } from "./extents.ts";
import { type Encryption, encryptionsOf, type Location, type OldBlocks } from "./location.ts";

/** What the content of a volume is read from. */
export interface ReaderOptions {
  /** Volume keys by the names of their digests, all that the content needs. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly payload: ByteSource;
  /** The file that starts with the header. */
  readonly header: ByteSource;
}

const OLD = 1;
const NEW = 2;

/** Reads and decrypts the content of a volume. */
export class ContentReader {
  /** Bytes in the largest sector that is encrypted as one. */
  readonly sectorSize: number;
  readonly #extents: readonly ReadableExtent[];
  readonly #options: ReaderOptions;
  readonly #ciphers = new Map<string, SectorCipher>();
  /** For each block of the part that was interrupted, whether it is as it was; 0 where not looked at. */
  readonly #states: Uint8Array;

  /** @throws {RangeError} where a key does not fit its cipher */
  constructor({ extents }: Content, options: ReaderOptions) {
    this.#extents = extents;
    this.#options = options;
    const locations = extents.map(({ location }) => location);
    for (const encryption of locations.flatMap(encryptionsOf)) this.#cipherOf(encryption);
    // There is a digest in a file for each of them.
    const blocks = locations.find((location) => location.blocks !== undefined)?.blocks;
    this.#states = new Uint8Array(blocks?.count ?? 0);
    this.sectorSize = Math.max(
      SECTOR,
      ...Array.from(this.#ciphers.values(), (of) => of.sectorSize),
    );
  }

  /** Fills `target` with content from a byte of it on; it has to end within the content. */
  read(from: number, target: Uint8Array): void {
    let at = from;
    const to = from + target.length;
    for (let index = this.#extentAt(from); at < to; index++) {
      const extent = this.#extents[index];
      if (extent === undefined) throw new RangeError(`Cannot read byte ${at}: there is no content`);
      const { start, length, location } = extent;
      const end = Math.min(to, start + length);
      this.#readAt(location, at - start, target.subarray(at - from, end - from));
      at = end;
    }
  }

  #extentAt(byte: number): number {
    let [first, behind] = [0, this.#extents.length];
    while (behind - first > 1) {
      const middle = Math.floor((first + behind) / 2);
      if ((this.#extents[middle] as ReadableExtent).start <= byte) first = middle;
      else behind = middle;
    }
    return first;
  }

  #readAt(location: Location, skip: number, target: Uint8Array): void {
    const { blocks } = location;
    if (blocks === undefined) return this.#decrypt(location, skip, target);
    let done = 0;
    while (done < target.length) {
      const at = skip + done;
      const block = Math.floor(at / blocks.size);
      const length = Math.min((block + 1) * blocks.size - at, target.length - done);
      const part = target.subarray(done, done + length);
      const { encryption } = this.#isOld(location, blocks, block) ? blocks : location;
      this.#decrypt({ ...location, encryption }, at, part);
      done += length;
    }
  }

  #decrypt(
    { file, offset, ivTweak, encryption }: Location,
    skip: number,
    target: Uint8Array,
  ): void {
    const source = this.#options[file];
    if (encryption === undefined) return source.readInto(offset + skip, target);
    const cipher = this.#cipherOf(encryption);
    readSectors(target, skip, {
      sectorSize: cipher.sectorSize,
      read: (sectors, at) => source.readInto(offset + at, sectors),
      decrypt: (sectors, at) => cipher.decrypt(sectors, ivTweak + BigInt(at / SECTOR)),
    });
  }

  #isOld({ file, offset }: Location, blocks: OldBlocks, block: number): boolean {
    if (block >= blocks.count) return false;
    const known = this.#states[block];
    if (known !== 0) return known === OLD;
    const digestSize = hashTable[canonicalHash(blocks.hash) ?? ""]?.digestSize ?? 0;
    const digest = this.#options.header.read(blocks.digests + block * digestSize, digestSize);
    const stored = this.#options[file].read(offset + block * blocks.size, blocks.size);
    const old = startsWith(digest, hash(blocks.hash, stored));
    this.#states[block] = old ? OLD : NEW;
    return old;
  }

  #cipherOf({ use, digest }: Encryption): SectorCipher {
    const name = `${digest.name} ${use.sectorSize} ${use.encryption}`;
    const found = this.#ciphers.get(name);
    if (found !== undefined) return found;
    const cipher = cipherOf(use, this.#options.keys.get(digest.name) ?? new Uint8Array(0));
    this.#ciphers.set(name, cipher);
    return cipher;
  }
}
