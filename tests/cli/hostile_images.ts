import { patternBytes } from "../../src/format/mod.ts";
import { blank, type Decoded, encode } from "../../src/layout/mod.ts";
import { extensionHead, header, QCOW_MAGIC, snapshotHead } from "../../src/qcow2/structures.ts";

type Part = readonly [offset: number, bytes: Uint8Array];

/** Numbers of 64 bits, one after the other. */
function words(...values: readonly bigint[]): Uint8Array {
  return wordsOf(values);
}

function wordsOf(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setBigUint64(8 * index, value);
  return bytes;
}

/** A file that begins with a header of qcow2. */
function image(
  size: number,
  fields: Partial<Decoded<typeof header>>,
  ...parts: readonly Part[]
): Uint8Array {
  const bytes = new Uint8Array(size);
  const head = { ...blank(header), magic: QCOW_MAGIC, version: 3, refcount_order: 4 };
  const cluster = 1 << (fields.cluster_bits ?? 16);
  const tables = {
    header_length: 112,
    cluster_bits: 16,
    size: 1n << 20n,
    l1_size: 1,
    l1_table_offset: BigInt(3 * cluster),
    refcount_table_offset: BigInt(cluster),
    refcount_table_clusters: 1,
  };
  bytes.set(encode(header, { ...head, ...tables, ...fields }));
  // One refcount block, which says that the first four clusters are used.
  bytes.set(words(BigInt(2 * cluster)), cluster);
  bytes.set(words(0x0001000100010001n), 2 * cluster);
  for (const [offset, part] of parts) bytes.set(part, offset);
  return bytes;
}

const noise = (length: number, seed = 1) => patternBytes({ kind: "noise", seed }, length);

const CLUSTER = 65536;
const SMALL = 512;
/** L2 tables of 64 entries. */
const TABLES = 2000;

/** An image without anything odd, for comparison. */
export const PLAIN: Uint8Array = image(4 * CLUSTER, {});

/** Small images that describe much, each in another way. */
export const HOSTILE: Readonly<Record<string, Uint8Array>> = {
  // The table is past the end of the file: each snapshot is 40 zeros.
  "65536 snapshots": image(400_000, { nb_snapshots: 65536, snapshots_offset: BigInt(4 * CLUSTER) }),
  "20000 snapshots in the file": image(
    4 * CLUSTER + 20_000 * snapshotHead.size,
    { nb_snapshots: 20_000, snapshots_offset: BigInt(4 * CLUSTER) },
    [4 * CLUSTER, noise(1)],
  ),
  "L2 tables of noise": image(
    (64 + TABLES) * SMALL + 8 * TABLES,
    {
      cluster_bits: 9,
      size: BigInt(TABLES * 64 * SMALL),
      l1_size: TABLES,
      l1_table_offset: BigInt((64 + TABLES) * SMALL),
    },
    [64 * SMALL, noise(TABLES * SMALL)],
    [
      (64 + TABLES) * SMALL,
      words(...Array.from({ length: TABLES }, (_, i) => 1n << 63n | BigInt((64 + i) * SMALL))),
    ],
  ),
  "L1 and L2 tables of noise": image(
    6 * CLUSTER + 2 ** 18,
    { l1_size: 2 ** 15, l1_table_offset: BigInt(6 * CLUSTER), size: 1n << 44n },
    [5 * CLUSTER, noise(CLUSTER)],
    [6 * CLUSTER, noise(2 ** 18, 2)],
  ),
  "a refcount table of noise": image(
    8 * CLUSTER,
    { refcount_table_offset: BigInt(4 * CLUSTER), refcount_table_clusters: 4 },
    [4 * CLUSTER, noise(2 ** 18)],
  ),
  "260000 header extensions": image(
    2 ** 23,
    { cluster_bits: 21 },
    [112, extensions(260_000)],
  ),
};

/** The first bytes of a file, and its length: the rest is a hole. */
export interface SparseImage {
  readonly bytes: Uint8Array;
  readonly size: number;
}

const GIB = 2 ** 30;

/** L2 tables of 65536-byte clusters behind the fourth one, with the L1 table in the fourth. */
function withTables(
  size: number,
  tables: number,
  entry: (random: number) => bigint,
): SparseImage {
  const random = new Uint32Array(noise(tables * CLUSTER / 2).buffer);
  const entries = Array.from(random, (value) => entry(value / 2 ** 32));
  const bytes = image(
    (4 + tables) * CLUSTER,
    { size: BigInt(tables * CLUSTER * CLUSTER / 8), l1_size: tables },
    [
      3 * CLUSTER,
      words(...Array.from({ length: tables }, (_, i) => 1n << 63n | BigInt((4 + i) * CLUSTER))),
    ],
    [4 * CLUSTER, wordsOf(entries)],
  );
  return { bytes, size };
}

/** Long files of which little is stored, with much that is wrong. */
export const SPARSE: Readonly<Record<string, SparseImage>> = {
  "a disk of 20 GiB with tables of noise": withTables(
    20 * GIB,
    40,
    (random) => BigInt(Math.floor(random * 2 ** 53)) << 11n | 1n,
  ),
  "a disk of 20 GiB with 327680 compressed streams that are none": withTables(
    20 * GIB,
    40,
    (random) => 1n << 62n | BigInt(Math.floor(random * 20 * GIB)),
  ),
  "a disk of 20 GiB with clusters at odd offsets": withTables(
    20 * GIB,
    40,
    (random) => BigInt(512 * Math.floor(random * 20 * GIB / 512)),
  ),
  "a file of 4 TiB with references all over it": withTables(
    4096 * GIB,
    2,
    (random) => 1n << 63n | BigInt(CLUSTER * Math.floor(random * 4096 * GIB / CLUSTER)),
  ),
};

/** Header extensions without data, each of another unknown type. */
function extensions(count: number): Uint8Array {
  const bytes = new Uint8Array(count * extensionHead.size);
  for (let index = 0; index < count; index++) {
    const head = encode(extensionHead, { type: 0x1111_1111 + index, length: 0 });
    bytes.set(head, index * extensionHead.size);
  }
  return bytes;
}
