import { type ByteSource, hex, readUpTo, roundUp } from "../../bytes/mod.ts";
import { EntryTable, type KnownFacts, plainText, type Remains } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import { compressedExtent, kindOf, offsetOf } from "../entry.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import { IntervalSet } from "../intervals.ts";
import { cryptMethods, header, l1Entry, limits, QCOW_MAGIC } from "../structures.ts";

/** Entries that are looked at for one cluster size: a file may have millions. */
const ENTRIES_MAX = 2 ** 18;
/** Entries of the longest L1 table that is looked for: that of a disk of 16 TiB. */
const L1_MAX = 2 ** 23;
/** What a whole image leaves unexplained: a part of a cluster. */
const SHARE_CERTAIN = 0.9;
const SHARE_POSSIBLE = 0.5;

/** The tables that one geometry gives a file. */
interface Reading {
  readonly geometry: Geometry;
  readonly l1Offset: number;
  /** Place of the name of the backing file before the L1 table. */
  readonly name: string | undefined;
  /** Entries of the L1 table at most. */
  readonly l1Entries: number;
  /** L2 tables and clusters that were found. */
  readonly tables: number;
  readonly clusters: number;
  /** Share of the bytes from the first of them on that they are. */
  readonly share: number;
  /** End of the last guest cluster in bytes. */
  readonly end: number;
}

/**
 * What a file shows of a qcow image whose header is lost. The L1 table follows the header, and so does
 * the name of the backing file: they must be left.
 */
export function scanQcow1(source: ByteSource, known: KnownFacts): readonly Remains[] {
  const readings = placesOfL1(source).flatMap((place) =>
    GEOMETRIES.flatMap((geometry) => readingOf(source, geometry, place) ?? [])
  );
  const best =
    readings.toSorted((a, b) =>
      +isUsual(b) - +isUsual(a) || b.share - a.share || b.clusters - a.clusters
    )[0];
  if (best === undefined || best.share < SHARE_POSSIBLE) return [];
  return [remainsOf(best, known)];
}

/** The sizes with which QEMU makes images without and with a backing file. */
const USUAL = [{ clusterBits: 12, l2Bits: 9 }, { clusterBits: 9, l2Bits: 12 }].map(geometryOf);

function isUsual({ geometry, share }: Reading): boolean {
  return share >= SHARE_CERTAIN &&
    USUAL.some(({ clusterSize, l2Entries }) =>
      clusterSize === geometry.clusterSize && l2Entries === geometry.l2Entries
    );
}

const GEOMETRIES: readonly Geometry[] = range(limits.clusterBits).flatMap((clusterBits) =>
  range(limits.l2Bits).map((l2Bits) => geometryOf({ clusterBits, l2Bits }))
);

function range({ min, max }: { min: number; max: number }): number[] {
  return Array.from({ length: max - min + 1 }, (_, index) => min + index);
}

/** Where an L1 table may start. */
interface Place {
  readonly offset: number;
  /** The name of the backing file before it. */
  readonly name: string | undefined;
  /** Its first entry that is not 0. */
  readonly start: number;
}

/** After the header, and after a name that follows it. */
function placesOfL1(source: ByteSource): Place[] {
  const rest = readUpTo(source, header.size, limits.nameLength.max + l1Entry.size);
  const nul = rest.indexOf(0);
  const name = nul > 0 ? plainText(rest.subarray(0, nul)) : undefined;
  const place = (offset: number, name?: string): Place => {
    const start = new EntryTable(source, offset, L1_MAX).nextNonZero(0);
    return { offset, name, start };
  };
  const afterName = roundUp(header.size + nul, l1Entry.size);
  return [place(header.size), ...(name === undefined ? [] : [place(afterName, name)])];
}

/** The tables of a geometry; nothing where an entry leads where another one does, or outside. */
function readingOf(
  source: ByteSource,
  geometry: Geometry,
  { offset: l1Offset, name, start }: Place,
): Reading | undefined {
  const { clusterSize, l2Entries, l2Size, l2Coverage, clusterBits } = geometry;
  const claims = new IntervalSet();
  const isNew = (offset: number, length: number): boolean => {
    const to = Math.min(offset + length, source.size);
    const fresh = claims.add({ from: offset, to });
    return fresh.length === 1 && fresh[0]?.from === offset && fresh[0].to === to;
  };
  const l1 = new EntryTable(source, l1Offset, L1_MAX);
  let [first, explained, end, tables, clusters, left] = [source.size, 0, 0, 0, 0, ENTRIES_MAX];
  for (let i = start; i < l1.length && l1.offsetOf(i) < first; i = l1.nextNonZero(i + 1)) {
    const table = offsetOf(l1.entry(i));
    const fits = table % clusterSize === 0 && table > l1Offset && table < source.size;
    if (!fits || !isNew(table, l2Size)) return undefined;
    first = Math.min(first, table);
    explained += l2Size;
    tables++;
    const l2 = new EntryTable(source, table, l2Entries);
    for (let k = l2.nextNonZero(0); k < l2.stored && left > 0; k = l2.nextNonZero(k + 1)) {
      const entry = l2.entry(k);
      const isCompressed = kindOf(entry) === "compressed";
      const { offset, length } = isCompressed
        ? compressedExtent(entry, clusterBits)
        : { offset: offsetOf(entry), length: clusterSize };
      const aligned = isCompressed || offset % clusterSize === 0;
      if (!aligned || offset <= l1Offset || offset >= source.size) return undefined;
      if (length > 0 && !isNew(offset, length)) return undefined;
      first = Math.min(first, offset);
      explained += length;
      clusters++;
      left--;
      end = i * l2Coverage + (k + 1) * clusterSize;
    }
  }
  if (tables === 0) return undefined;
  const room = Math.floor((first - l1Offset) / l1Entry.size);
  const share = explained / (source.size - first);
  return { geometry, l1Offset, name, l1Entries: room, tables, clusters, share, end };
}

function remainsOf(found: Reading, known: KnownFacts): Remains {
  const { geometry, l1Offset, name, l1Entries, tables, clusters, share, end } = found;
  const { clusterBits, clusterSize, l2Entries } = geometry;
  const least = Math.max(end, clusterSize);
  const most = l1Entries * geometry.l2Coverage;
  const size = known.virtualSize ?? least;
  const l2Bits = Math.log2(l2Entries);
  const crypt = known.aes === true ? cryptMethods.aes : cryptMethods.none;
  const bytes = encode(header, {
    magic: QCOW_MAGIC,
    version: 1,
    backing_file_offset: BigInt(name === undefined ? 0 : header.size),
    backing_file_size: name === undefined ? 0 : new TextEncoder().encode(name).length,
    mtime: 0,
    size: BigInt(size),
    cluster_bits: clusterBits,
    l2_bits: l2Bits,
    padding: 0,
    crypt_method: crypt,
    l1_table_offset: BigInt(l1Offset),
  });
  return {
    format: "qcow",
    confidence: share >= SHARE_CERTAIN ? "likely" : "possible",
    evidence: [
      `An L1 table is at ${hex(l1Offset)}, with ${tables} L2 tables and ${clusters} clusters`,
      `They are ${Math.min(100, Math.floor(100 * share))} % of the file, and none overlaps another`,
      ...(name === undefined ? [] : [`The name ${JSON.stringify(name)} follows the header`]),
    ],
    fields: [
      {
        name: "size",
        value: size,
        note: known.virtualSize === undefined ? "the least" : "as given",
      },
      { name: "cluster_bits", value: clusterBits, note: `${clusterSize} bytes` },
      { name: "l2_bits", value: l2Bits, note: `${l2Entries} entries` },
      { name: "crypt_method", value: crypt },
      { name: "l1_table_offset", value: l1Offset, isOffset: true },
      ...(name === undefined ? [] : [{ name: "backing file name", value: name }]),
    ],
    unknown: [
      ...(known.virtualSize === undefined
        ? [
          `The virtual size: from ${
            least - clusterSize + 1
          } to ${most} bytes (--virtual-size sets it)`,
        ]
        : []),
      ...(known.aes === true
        ? []
        : ["Whether the content is encrypted with AES (--aes says that it is)"]),
    ],
    repair: [{ offset: 0, bytes }],
  };
}
