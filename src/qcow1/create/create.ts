import { roundUp, SECTOR, type Segment, utf8 } from "../../bytes/mod.ts";
import { deflateCluster } from "../../codec/mod.ts";
import { legacyAes } from "../../crypto/mod.ts";
import type { CreatedParts, DiskContent } from "../../format/mod.ts";
import { blank, encode, writeUint } from "../../layout/mod.ts";
import { compressedEntry } from "../entry.ts";
import { type Geometry, geometryOf, l1Bytes, l1Needed } from "../geometry.ts";
import { cryptMethods, header, l1Entry, l2Entry, limits, QCOW_MAGIC } from "../structures.ts";

/** Options for a new image. */
export interface Qcow1Creation {
  /** Virtual size in bytes: whole sectors, at least one. */
  readonly size: number;
  /** Name of the backing file, as it is written. */
  readonly backing?: string;
  /** Encrypts with the legacy AES. */
  readonly passphrase?: Uint8Array;
  /** Compresses clusters if that makes them shorter. */
  readonly compressed?: boolean;
  /** The guest content. If absent, nothing is allocated. */
  readonly content?: DiskContent;
}

/** The geometries that QEMU writes: small clusters over a backing file. */
const ALONE = { clusterBits: 12, l2Bits: 9 };
const OVERLAY = { clusterBits: 9, l2Bits: 12 };
/** QEMU holds the L1 table in memory, and takes none of 2^31 bytes. */
const L1_BYTES_MAX = 2 ** 31 - 1;

/**
 * Creates an image as QEMU does: the header, the backing file name and the L1 table, followed by L2
 * tables and clusters in the order of allocation. The bytes are generated in parts, so that little
 * memory is needed for an image of any size. Ranges without a part are zeros.
 *
 * @throws {RangeError} if the options conflict or are out of range
 *
 * @example
 * ```ts
 * import { createQcow1 } from "../mod.ts";
 *
 * const [head] = [...createQcow1({ size: 2 ** 20 })];
 * head?.bytes.length; // 48, the header
 * ```
 */
export function createQcow1(creation: Qcow1Creation): CreatedParts {
  const { size, backing, passphrase, compressed = false } = creation;
  const name = utf8(backing ?? "");
  if (size < SECTOR || size % SECTOR !== 0) {
    throw new RangeError(
      `Cannot create an image: the size must be a positive multiple of ${SECTOR}, not ${size}`,
    );
  }
  if (name.length > limits.nameLength.max) {
    throw new RangeError(
      `Cannot create an image: the name of the backing file has ${name.length} bytes, more than ` +
        `${limits.nameLength.max}`,
    );
  }
  if (passphrase !== undefined && compressed) {
    throw new RangeError(
      "Cannot create an image: compression and encryption cannot be combined",
    );
  }
  const geometry = geometryOf(backing === undefined ? ALONE : OVERLAY);
  const l1Size = Number(l1Needed(BigInt(size), geometry));
  if (l1Bytes(l1Size) > L1_BYTES_MAX) {
    throw new RangeError(
      `Cannot create an image: the L1 table for a disk of ${size} bytes is too long`,
    );
  }
  return ofImage(parts(creation, { geometry, name, l1Size }));
}

/** Parts of the one file that there is. */
function* ofImage(parts: Generator<Segment, number>): CreatedParts {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return { image: value };
    yield { file: "image", ...value };
  }
}

interface Plan {
  readonly geometry: Geometry;
  readonly name: Uint8Array;
  readonly l1Size: number;
}

function* parts(creation: Qcow1Creation, plan: Plan): Generator<Segment, number> {
  const { geometry, name, l1Size } = plan;
  const l1 = roundUp(header.size + name.length, l1Entry.size);
  yield { offset: 0, bytes: headerOf(creation, { ...plan, l1 }) };
  if (name.length > 0) yield { offset: header.size, bytes: name };
  const end = l1 + roundUp(l1Bytes(l1Size), SECTOR);
  const writer = new ClusterWriter(creation, { geometry, l1, end });
  for (const { offset, bytes } of clustersOf(creation, geometry)) {
    if (bytes.length === 0) yield { offset: 0, bytes };
    else yield* writer.cluster(offset, bytes);
  }
  yield* writer.tables();
  return writer.end;
}

interface Cluster {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Zeros of so many bytes are skipped at a time; a multiple of the cluster size. */
const ZEROS_MAX = 2 ** 21;

/**
 * The clusters to store, before compression. A long run of zeros gives one without bytes now and
 * then, so that the caller can pause.
 */
function* clustersOf(
  { content, backing, passphrase }: Qcow1Creation,
  { clusterSize }: Geometry,
): Generator<Cluster> {
  const cipher = passphrase === undefined ? undefined : legacyAes(passphrase);
  let run: Cluster[] = [];
  for (const { offset, bytes } of content?.(clusterSize) ?? []) {
    const last = run.at(-1);
    if (run.length === RUN_MAX || last !== undefined && last.offset + clusterSize !== offset) {
      yield* encrypted(run, cipher);
      run = [];
    }
    // Over a backing file, zeros must be stored: the format has no other way to represent them.
    if (bytes === undefined && backing === undefined) {
      if (offset % ZEROS_MAX === 0) yield { offset, bytes: new Uint8Array(0) };
      continue;
    }
    const stored = bytes ?? new Uint8Array(clusterSize);
    if (cipher === undefined) yield { offset, bytes: stored };
    // The content reuses the memory of a block.
    else run.push({ offset, bytes: stored.slice() });
  }
  yield* encrypted(run, cipher);
}

/**
 * Clusters that are encrypted at a time: creating a cipher takes longer than encrypting a cluster.
 */
const RUN_MAX = 256;

/** Adjacent clusters of the guest's disk, encrypted. */
function* encrypted(
  run: readonly Cluster[],
  cipher: ReturnType<typeof legacyAes> | undefined,
): Generator<Cluster> {
  const [first] = run;
  if (cipher === undefined || first === undefined) return;
  const unit = first.bytes.length;
  const sectors = new Uint8Array(run.length * unit);
  run.forEach(({ bytes }, index) => sectors.set(bytes, index * unit));
  cipher.encrypt(sectors, BigInt(first.offset / SECTOR));
  for (const [index, { offset }] of run.entries()) {
    yield { offset, bytes: sectors.subarray(index * unit, (index + 1) * unit) };
  }
}

function headerOf(
  { size, passphrase, backing }: Qcow1Creation,
  { geometry, name, l1 }: Plan & { readonly l1: number },
): Uint8Array {
  return encode(header, {
    ...blank(header),
    magic: QCOW_MAGIC,
    version: 1,
    backing_file_offset: BigInt(backing === undefined ? 0 : header.size),
    backing_file_size: name.length,
    size: BigInt(size),
    cluster_bits: geometry.clusterBits,
    l2_bits: Math.log2(geometry.l2Entries),
    crypt_method: passphrase === undefined ? cryptMethods.none : cryptMethods.aes,
    l1_table_offset: BigInt(l1),
  });
}

/** Places clusters and their tables one after the other. */
class ClusterWriter {
  /** Where the file ends so far. */
  end: number;
  readonly #geometry: Geometry;
  readonly #l1: number;
  readonly #compressed: boolean;
  /** The L2 table that is being filled. */
  #table:
    | { readonly index: number; readonly offset: number; readonly bytes: Uint8Array }
    | undefined;

  constructor(
    { compressed = false }: Qcow1Creation,
    { geometry, l1, end }: { geometry: Geometry; l1: number; end: number },
  ) {
    this.end = end;
    this.#geometry = geometry;
    this.#l1 = l1;
    this.#compressed = compressed;
  }

  *cluster(offset: number, bytes: Uint8Array): Generator<Segment> {
    const { clusterSize, l2Coverage } = this.#geometry;
    const index = Math.floor(offset / l2Coverage);
    if (this.#table?.index !== index) {
      yield* this.tables();
      this.#table = { index, offset: this.#room(), bytes: new Uint8Array(this.#geometry.l2Size) };
      this.end += this.#geometry.l2Size;
    }
    const short = this.#compressed ? deflateCluster(bytes) : bytes;
    if (short.length < clusterSize) {
      const extent = { offset: this.end, length: short.length };
      this.#enter(offset, compressedEntry(extent, this.#geometry.clusterBits));
      this.end += short.length;
      yield { offset: extent.offset, bytes: short };
      return;
    }
    const at = this.#room();
    this.#enter(offset, BigInt(at));
    this.end = at + clusterSize;
    yield { offset: at, bytes };
  }

  /** The L2 table that was being filled, with what leads to it. */
  *tables(): Generator<Segment> {
    if (this.#table === undefined) return;
    const { index, offset, bytes } = this.#table;
    yield { offset, bytes };
    const entry = encode(l1Entry, { l1_entry: BigInt(offset) });
    yield { offset: this.#l1 + index * l1Entry.size, bytes: entry };
  }

  /** The end of the file, rounded up to a cluster. */
  #room(): number {
    this.end = roundUp(this.end, this.#geometry.clusterSize);
    return this.end;
  }

  #enter(offset: number, entry: bigint): void {
    const { clusterSize, l2Entries } = this.#geometry;
    const at = offset / clusterSize % l2Entries * l2Entry.size;
    if (this.#table !== undefined) writeUint(this.#table.bytes, at, l2Entry.size, entry);
  }
}
