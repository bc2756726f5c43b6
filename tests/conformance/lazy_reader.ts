/**
 * An honest reader that does the least: header, L1, L2, clusters, backing files. It ignores
 * refcounts, snapshots, bitmaps and feature names, and reserved bits. It shares no code with the
 * reference except for decompression of zstd.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import {
  type Cluster,
  clusterDisk,
  type Disk,
  inflated,
  Lacking,
  Rejected,
  unpacked,
} from "./lazy_disk.ts";

const QFI = 0x514649fb;
const DIRTY = 1n;
const CORRUPT = 2n;
const DATA_FILE = 4n;
const COMPRESSION = 8n;
const EXTENDED_L2 = 16n;
const KNOWN = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2;
const BACKING_FORMAT = 0xe2792aca;
const DATA_FILE_NAME = 0x44415441;
const OFFSET = 0x00fffffffffffe00n;
const DEPTH_MAX = 250;
/** Bytes of an L1 table, and of a cluster, that this reader accepts. */
const L1_MAX = 2 ** 25;
const CLUSTER_BITS_MAX = 21;

/** Opens an image in a directory. */
export function openLazily(
  directory: string,
  name: string,
  { format, depth = 0, alone = false, files = new Map() }: {
    format?: string | undefined;
    depth?: number;
    /** Only the size is requested: no other file is opened. */
    alone?: boolean;
    /** Files that were read before. */
    files?: Map<string, Buffer>;
  } = {},
): Disk {
  if (depth > DEPTH_MAX) throw new Rejected("too many backing files");
  const named = (file: string) => fileNamed(directory, file, files);
  const file = named(name);
  const head = file.length < 8 ? 0 : file.readUInt32BE(0);
  const version = file.length < 8 ? 0 : file.readUInt32BE(4);
  const found = format ??
    (head === QFI && version === 1 ? "qcow" : head === QFI && version > 1 ? "qcow2" : "raw");
  const open = (below: string, as?: string) =>
    alone
      ? rawDisk(Buffer.alloc(0))
      : openLazily(directory, below, { format: as, depth: depth + 1, files });
  switch (found) {
    case "raw":
      return rawDisk(file);
    case "qcow":
      return qcow1Disk(file, open);
    case "qcow2":
      return qcow2Disk(file, {
        open,
        alone,
        data: (data) => alone ? file : named(data),
      });
    default:
      throw new Lacking(`format ${found}`);
  }
}

function fileNamed(directory: string, name: string, files: Map<string, Buffer>): Buffer {
  const local = name.startsWith("file:") ? name.slice("file:".length) : name;
  if (/^[\w+.-]+:/.test(local) || local.startsWith("/")) throw new Rejected(`not a file: ${name}`);
  try {
    const file = files.get(local) ?? readFileSync(`${directory}/${local}`);
    files.set(local, file);
    return file;
  } catch {
    throw new Rejected(`cannot read ${name}`);
  }
}

function rawDisk(file: Buffer): Disk {
  const size = Math.ceil(file.length / 512) * 512;
  return {
    format: "raw",
    size,
    read: (offset, target) => {
      target.fill(0);
      target.set(file.subarray(Math.min(offset, file.length), offset + target.length));
    },
    stretches: (start, to) => start < to ? [{ start, length: to - start, zero: false }] : [],
  };
}

type Open = (name: string, format?: string) => Disk;

function qcow1Disk(file: Buffer, open: Open): Disk {
  if (file.length < 48) throw new Rejected("the header is not complete");
  if (file.readUInt32BE(0) !== QFI || file.readUInt32BE(4) !== 1) throw new Rejected("not qcow");
  const [nameOffset, nameSize] = [Number(file.readBigUInt64BE(8)), file.readUInt32BE(16)];
  const size = Number(file.readBigUInt64BE(24) / 512n) * 512;
  const [clusterBits, l2Bits] = [file.readUInt8(32), file.readUInt8(33)];
  const method = file.readUInt32BE(36);
  if (method > 1) throw new Rejected("unknown encryption");
  if (method === 1) throw new Lacking("encryption");
  if (clusterBits < 9 || clusterBits > 16 || l2Bits < 6 || l2Bits > 13) {
    throw new Lacking("such clusters");
  }
  if (size <= 1) throw new Lacking("an empty disk");
  const unit = 2 ** clusterBits;
  const l1 = Number(file.readBigUInt64BE(40));
  const name = nameOffset === 0 ? "" : nameIn(file, nameOffset, nameSize);
  const backing = name === "" ? undefined : open(name);
  const at = (offset: number): bigint =>
    offset >= 0 && offset + 8 <= file.length ? file.readBigUInt64BE(offset) : 0n;
  const packedBits = 63n - BigInt(clusterBits);
  return clusterDisk({
    ...{ format: "qcow", size, unit, file, backing },
    unpack: (bytes) => inflated(bytes, unit),
    cluster: (guest) => {
      const index = Math.floor(guest / unit);
      const table = Number(at(l1 + 8 * Math.floor(index / 2 ** l2Bits)));
      if (table === 0) return { kind: "backing" };
      const entry = at(table + 8 * (index % 2 ** l2Bits));
      if (entry === 0n) return { kind: "backing" };
      if (entry >> 63n === 0n) {
        if (entry % 512n !== 0n) throw new Rejected("a cluster is not aligned");
        return { kind: "data", offset: Number(entry) };
      }
      const offset = Number(entry & ((1n << packedBits) - 1n));
      const length = Number((entry & ~(1n << 63n)) >> packedBits);
      return { kind: "packed", bytes: file.subarray(offset, offset + length) };
    },
  });
}

function nameIn(file: Buffer, offset: number, size: number): string {
  if (size > 1023 || offset + size > file.length) throw new Rejected("the name is too long");
  return file.toString("utf8", offset, offset + size).split("\0")[0] ?? "";
}

interface Qcow2Header {
  readonly version: number;
  readonly clusterBits: number;
  readonly size: number;
  readonly incompatible: bigint;
  readonly l1: number;
  readonly l1Size: number;
  readonly zstd: boolean;
  readonly name: string;
  readonly extensions: ReadonlyMap<number, string>;
}

function qcow2Header(file: Buffer): Qcow2Header {
  if (file.length < 72) throw new Rejected("the header is not complete");
  const version = file.readUInt32BE(4);
  if (file.readUInt32BE(0) !== QFI || version < 2 || version > 3) throw new Rejected("not qcow2");
  const isThree = version === 3;
  if (isThree && file.length < 104) throw new Rejected("the header is not complete");
  const clusterBits = file.readUInt32BE(20);
  if (clusterBits < 9) throw new Rejected("clusters are too small");
  if (clusterBits > CLUSTER_BITS_MAX) throw new Lacking("such large clusters");
  const cluster = 2 ** clusterBits;
  const incompatible = isThree ? file.readBigUInt64BE(72) : 0n;
  if ((incompatible & ~KNOWN) !== 0n) throw new Lacking("an unknown feature");
  const length = isThree ? file.readUInt32BE(100) : 72;
  if (length < 72 || isThree && length < 104 || length > cluster) {
    throw new Rejected("header_length is wrong");
  }
  const type = length > 104 && file.length > 104 ? file.readUInt8(104) : 0;
  if (type > 1 || (type !== 0) !== ((incompatible & COMPRESSION) !== 0n)) {
    throw new Rejected("the compression type is wrong");
  }
  const method = file.readUInt32BE(32);
  if (method > 2) throw new Rejected("unknown encryption");
  if (method > 0) throw new Lacking("encryption");
  if ((incompatible & EXTENDED_L2) !== 0n && clusterBits < 14) {
    throw new Rejected("clusters are too small for subclusters");
  }
  const offset = Number(file.readBigUInt64BE(8));
  const nameSize = file.readUInt32BE(16);
  if (offset !== 0 && (nameSize > 1023 || offset + nameSize > cluster)) {
    throw new Rejected("the backing file name is not in the first cluster");
  }
  const exactL1 = file.readBigUInt64BE(40);
  const l1 = Number(exactL1);
  const l1Size = file.readUInt32BE(36);
  if (exactL1 % BigInt(cluster) !== 0n || l1 + 8 * l1Size > 2 ** 63 - 2 ** 30) {
    throw new Rejected("the L1 table is at a wrong place");
  }
  if (8 * l1Size > L1_MAX) throw new Lacking("such a large L1 table");
  return {
    ...{ version, clusterBits, incompatible, l1, l1Size },
    size: Number(file.readBigUInt64BE(24) / 512n) * 512,
    zstd: type === 1,
    name: offset === 0 ? "" : nameIn(file, offset, nameSize),
    extensions: extensionsIn(file, length, offset === 0 ? cluster : offset),
  };
}

/** Only the texts that a reader of content needs. */
function extensionsIn(file: Buffer, from: number, to: number): Map<number, string> {
  const found = new Map<number, string>();
  for (let at = from; at + 8 <= Math.min(to, file.length);) {
    const [type, length] = [file.readUInt32BE(at), file.readUInt32BE(at + 4)];
    if (type === 0 || at + 8 + length > to) break;
    if (type === BACKING_FORMAT || type === DATA_FILE_NAME) {
      const text = file.toString("utf8", at + 8, at + 8 + length).split("\0")[0] ?? "";
      found.set(type, text);
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

function qcow2Disk(
  file: Buffer,
  { open, alone, data: dataFile }: { open: Open; alone: boolean; data(name: string): Buffer },
): Disk {
  const header = qcow2Header(file);
  const { version, size, incompatible, extensions, l1, l1Size } = header;
  const unit = 2 ** header.clusterBits;
  const isExternal = (incompatible & DATA_FILE) !== 0n;
  const name = extensions.get(DATA_FILE_NAME);
  if (isExternal && !name && !alone) throw new Rejected("the data file has no name");
  const data = isExternal ? dataFile(name ?? "") : file;
  const isExtended = (incompatible & EXTENDED_L2) !== 0n;
  const entrySize = isExtended ? 16 : 8;
  const perTable = unit / entrySize;
  if (l1Size < Math.ceil(Number(file.readBigUInt64BE(24)) / unit / perTable)) {
    throw new Rejected("the L1 table is too small");
  }
  const backing = header.name === ""
    ? undefined
    : open(header.name, extensions.get(BACKING_FORMAT) || undefined);
  const at = (offset: number): bigint =>
    offset + 8 <= file.length ? file.readBigUInt64BE(offset) : 0n;
  const sub = isExtended ? unit / 32 : unit;

  const cluster = (guest: number): Cluster => {
    const index = Math.floor(guest / unit);
    const table = Number(at(l1 + 8 * Math.floor(index / perTable)) & OFFSET);
    if (table === 0) return { kind: "backing" };
    if (table % unit !== 0) throw new Rejected("an L2 table is not aligned");
    const place = table + entrySize * (index % perTable);
    const entry = at(place);
    if ((entry >> 62n) & 1n) {
      if (isExternal) throw new Rejected("a compressed cluster with a data file");
      const bits = 62 - (header.clusterBits - 8);
      const offset = Number(entry & ((1n << BigInt(bits)) - 1n));
      const sectors = Number((entry & ((1n << 62n) - 1n)) >> BigInt(bits)) + 1;
      const length = sectors * 512 - offset % 512;
      const bytes = Buffer.alloc(length);
      const [from, end] = [offset, offset + length].map((at) => Math.min(at, file.length));
      file.copy(bytes, 0, from, end);
      return { kind: "packed", bytes };
    }
    const offset = Number(entry & OFFSET);
    const isZero = (entry & 1n) !== 0n;
    const data = (): Cluster => {
      if (offset % unit !== 0) throw new Rejected("a cluster is not aligned");
      if (isExternal && offset !== index * unit) throw new Rejected("not at its guest offset");
      return { kind: "data", offset };
    };
    if (!isExtended) {
      if (isZero && version < 3) throw new Rejected("a zero cluster in version 2");
      if (isZero) return { kind: "zero" };
      const isNone = offset === 0 && !(isExternal && entry >> 63n === 1n);
      return isNone ? { kind: "backing" } : data();
    }
    return subcluster(guest, {
      bitmap: at(place + 8),
      unit,
      isNone: offset === 0 && !isExternal,
      data,
    });
  };
  const disk = clusterDisk({
    ...{ format: "qcow2", size, unit, cluster, file: data, backing },
    unpack: (bytes) => header.zstd ? unpacked(bytes, unit) : inflated(bytes, unit),
  });
  return isExtended
    ? bySubclusters(disk, { sub, unit, cluster, data, backing, size, unpackZstd: header.zstd })
    : disk;
}

function subcluster(
  guest: number,
  { bitmap, unit, isNone, data }: {
    bitmap: bigint;
    unit: number;
    isNone: boolean;
    data(): Cluster;
  },
): Cluster {
  const [allocated, zeros] = [bitmap & 0xffffffffn, bitmap >> 32n];
  if ((allocated & zeros) !== 0n) throw new Rejected("a subcluster is both allocated and zero");
  if (isNone && allocated !== 0n) throw new Rejected("a subcluster of no cluster is allocated");
  const bit = BigInt(Math.floor((guest % unit) / (unit / 32)));
  if ((zeros >> bit) & 1n) return { kind: "zero" };
  return (allocated >> bit) & 1n ? data() : { kind: "backing" };
}

/** The same disk, looked up by subclusters. */
function bySubclusters(
  whole: Disk,
  { sub, unit, cluster, data, backing, size, unpackZstd }: {
    sub: number;
    unit: number;
    cluster(offset: number): Cluster;
    data: Buffer;
    backing: Disk | undefined;
    size: number;
    unpackZstd: boolean;
  },
): Disk {
  return clusterDisk({
    ...{ format: whole.format, size, unit: sub, file: data, backing },
    cluster: (guest) => {
      const found = cluster(guest);
      const start = Math.floor(guest / sub) * sub % unit;
      if (found.kind === "data") return { kind: "data", offset: found.offset + start };
      if (found.kind !== "packed") return found;
      const all = unpackZstd ? unpacked(found.bytes, unit) : inflated(found.bytes, unit);
      return { kind: "packed", bytes: Buffer.from(all.subarray(start, start + sub)) };
    },
    unpack: (bytes) => bytes,
  });
}
