import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import { decode, type Decoded } from "../layout/mod.ts";
import { type Geometry, geometryOf } from "./geometry.ts";
import { header, limits } from "./structures.ts";

/** The header as decoded. */
export type Header = Decoded<typeof header>;

/** Everything that an open reads, decoded but not judged. */
export interface Qcow1File {
  readonly source: ByteSource;
  readonly header: Header;
  /** Absent if the header values do not define clusters and tables. */
  readonly geometry?: Geometry;
}

/** Decodes a header from any bytes. */
export function decodeQcow1(source: ByteSource): Qcow1File {
  const head = decode(header, readUpTo(source, 0, header.size));
  const image = { clusterBits: head.cluster_bits, l2Bits: head.l2_bits };
  const sound = within(image.clusterBits, limits.clusterBits) &&
    within(image.l2Bits, limits.l2Bits);
  return { source, header: head, ...(sound ? { geometry: geometryOf(image) } : {}) };
}

/** Whether a value is between two limits, both included. */
export function within(
  value: number,
  range: { readonly min: number; readonly max: number },
): boolean {
  return value >= range.min && value <= range.max;
}

/**
 * The backing file name as stored, or `undefined` if there is none or its length is not accepted by
 * readers. It may be empty.
 */
export function storedName({ header, source }: Qcow1File): Uint8Array | undefined {
  if (header.backing_file_offset === 0n) return undefined;
  if (!within(header.backing_file_size, limits.nameLength)) return undefined;
  return source.read(Number(header.backing_file_offset), header.backing_file_size);
}
