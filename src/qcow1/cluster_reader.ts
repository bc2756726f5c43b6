import { LastUsed, SECTOR } from "../bytes/mod.ts";
import type { SectorCipher } from "../crypto/mod.ts";
import { AccessError, readSectors } from "../format/mod.ts";
import { type Entry, isZero, kindOf, offsetOf, valueOf } from "./entry.ts";
import { dataFault, decompressEntry, l2Place, tableFault } from "./judge/entries.ts";
import type { Qcow1Image } from "./image.ts";
import { type Broken, inHeader } from "./findings.ts";

/** Number of decompressed clusters in the cache: at most 1 MiB. */
const CLUSTERS = 16;

/** A part of one cluster to read. */
interface Part {
  readonly entry: Entry;
  readonly place: () => ReturnType<typeof l2Place>;
  /** Where in the guest's disk it starts, and where in the cluster. */
  readonly guest: number;
  readonly from: number;
  readonly target: Uint8Array;
}

/**
 * Reads guest bytes from one image.
 *
 * The cache of decompressed clusters uses the whole entry as its key. QEMU caches one cluster by its
 * offset alone, so that the result of a read can depend on earlier reads.
 */
export class ClusterReader {
  readonly #image: Qcow1Image;
  readonly #cipher: SectorCipher | undefined;
  readonly #clusters = new LastUsed<bigint, Uint8Array>(CLUSTERS);

  /** @param cipher for encrypted clusters, if there is a passphrase */
  constructor(image: Qcow1Image, cipher?: SectorCipher) {
    this.#image = image;
    this.#cipher = cipher;
  }

  /**
   * Fills `target` with guest bytes, zeros where nothing is allocated.
   *
   * @param offset byte offset in the guest's disk
   * @throws {AccessError} if the read fails in QEMU
   */
  read(offset: number, target: Uint8Array): void {
    const { clusterSize } = this.#image.geometry;
    for (let done = 0; done < target.length;) {
      const from = (offset + done) % clusterSize;
      const part = target.subarray(done, done + clusterSize - from);
      this.#readPart(offset + done, part);
      done += part.length;
    }
  }

  #readPart(offset: number, target: Uint8Array): void {
    const image = this.#image;
    const { l2Coverage, clusterSize } = image.geometry;
    const l1Index = Math.floor(offset / l2Coverage);
    const table = image.l1.entry(l1Index);
    if (isZero(table)) {
      target.fill(0);
      return;
    }
    refuse(tableFault(image, table, l1Index));
    const index = Math.floor((offset % l2Coverage) / clusterSize);
    const entry = image.l2(table).entry(index);
    const place = () => l2Place(l1Index, table, index);
    this.#readCluster({ entry, place, guest: offset, from: offset % clusterSize, target });
  }

  #readCluster({ entry, place, guest, from, target }: Part): void {
    switch (kindOf(entry)) {
      case "unallocated":
        target.fill(0);
        break;
      case "data":
        refuse(dataFault(entry, from + target.length, place));
        this.#readData(entry, { guest, from, target });
        break;
      case "compressed":
        target.set(this.#decompressed(entry, place).subarray(from, from + target.length));
        break;
    }
  }

  /** Decrypts an uncompressed cluster by guest sectors. Compressed clusters are never encrypted. */
  #readData(entry: Entry, { guest, from, target }: Pick<Part, "guest" | "from" | "target">): void {
    const { encrypted } = this.#image;
    const cipher = this.#cipher;
    if (!encrypted) {
      this.#readStored(entry, from, target);
      return;
    }
    if (cipher === undefined) throw new AccessError(keyFault());
    readSectors(target, guest, {
      read: (sectors, start) => this.#readStored(entry, from + start - guest, sectors),
      decrypt: (sectors, from) => cipher.decrypt(sectors, BigInt(from / SECTOR)),
    });
  }

  #readStored(entry: Entry, from: number, target: Uint8Array): void {
    const { source, geometry: { clusterSize } } = this.#image;
    const offset = offsetOf(entry);
    if (offset + clusterSize <= Number.MAX_SAFE_INTEGER) {
      source.readInto(offset + from, target);
      return;
    }
    // The offset of the cluster is an exact number, and those in it need not be.
    const cluster = source.read(offset, clusterSize);
    target.set(cluster.subarray(from, from + target.length));
  }

  #decompressed(entry: Entry, place: Part["place"]): Uint8Array {
    return this.#clusters.get(valueOf(entry), () => {
      const cluster = decompressEntry(this.#image, entry, place);
      if (cluster instanceof Uint8Array) return cluster;
      throw new AccessError(cluster);
    });
  }
}

function refuse(fault: Broken | undefined): void {
  if (fault !== undefined) throw new AccessError(fault);
}

function keyFault(): Broken {
  const message = "Cannot read an encrypted image: no passphrase is given";
  return { rule: "qcow1.crypt.key-present", place: inHeader("crypt_method"), message };
}
