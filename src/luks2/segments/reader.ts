import { type ByteSource, type ByteStore, SECTOR, startsWith } from "../../bytes/mod.ts";
import { readSectors, writeSectors } from "../../format/mod.ts";
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
  readonly #content: Content;
  readonly #options: ReaderOptions;
  readonly #ciphers = new Map<string, SectorCipher>();
  /** For each block of the part that was interrupted, whether it is as it was; 0 where not looked at. */
  readonly #states: Uint8Array;

  /** @throws {RangeError} where a key does not fit its cipher */
  constructor(content: Content, options: ReaderOptions) {
    const { extents } = content;
    this.#content = content;
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

  /** A reader of other content with the same keys: that of the volume after its size has changed. */
  of(content: Content): ContentReader {
    return new ContentReader(content, this.#options);
  }

  /** Fills `target` with content from a byte of it on; it has to end within the content. */
  read(from: number, target: Uint8Array): void {
    this.#eachPart(from, target, (location, skip, part) => this.#readAt(location, skip, part));
  }

  /**
   * Encrypts and stores bytes from a byte of the content on; they have to end within it.
   *
   * @param payload the file that the content is read from
   */
  write(from: number, bytes: Uint8Array, payload: ByteStore): void {
    this.#eachPart(from, bytes, ({ offset, ivTweak, encryption }, skip, part) => {
      if (encryption === undefined) return payload.write(offset + skip, part);
      const cipher = this.#cipherOf(encryption);
      const numberOf = (at: number): bigint => ivTweak + BigInt(at / SECTOR);
      writeSectors(part, skip, {
        sectorSize: cipher.sectorSize,
        read: (sectors, at) => payload.readInto(offset + at, sectors),
        decrypt: (sectors, at) => cipher.decrypt(sectors, numberOf(at)),
        encrypt: (sectors, at) => cipher.encrypt(sectors, numberOf(at)),
        write: (sectors, at) => payload.write(offset + at, sectors),
      });
    });
  }

  /** The parts of bytes of the content, by where they are stored. */
  #eachPart(
    from: number,
    bytes: Uint8Array,
    visit: (location: Location, skip: number, part: Uint8Array) => void,
  ): void {
    const { extents } = this.#content;
    let at = from;
    const to = from + bytes.length;
    for (let index = this.#extentAt(from); at < to; index++) {
      const extent = extents[index];
      if (extent === undefined) {
        throw new RangeError(`Cannot reach byte ${at}: there is no content`);
      }
      const { start, length, location } = extent;
      const end = Math.min(to, start + length);
      visit(location, at - start, bytes.subarray(at - from, end - from));
      at = end;
    }
  }

  #extentAt(byte: number): number {
    const { extents } = this.#content;
    let [first, behind] = [0, extents.length];
    while (behind - first > 1) {
      const middle = Math.floor((first + behind) / 2);
      if ((extents[middle] as ReadableExtent).start <= byte) first = middle;
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
