import { BufferedSource, type ByteSource, readUpTo, roundUp } from "../bytes/mod.ts";
import { LazyList } from "../format/mod.ts";
import { decode, type Decoded, offsetOf } from "../layout/mod.ts";
import { type Geometry, geometryOf, V2_REFCOUNT_ORDER } from "./geometry.ts";
import { extensionHead, extensionTypes, features, header, headerV2, limits } from "./structures.ts";

/** The header. In version 2, missing fields have the values that the specification assumes. */
export type Header = Decoded<typeof header>;

/** One header extension. */
export interface Extension {
  readonly type: number;
  /** Length of the data in bytes, as stored in the image. */
  readonly length: number;
  /** Byte offset of the extension in the file. */
  readonly offset: number;
  /** Byte offset of its data. */
  readonly dataOffset: number;
  /** The type, the length and the data are inside the extension area. */
  readonly headFits: boolean;
  readonly dataFits: boolean;
}

/** Everything that an open reads, decoded but not judged. */
export interface Qcow2File {
  readonly source: ByteSource;
  readonly header: Header;
  /** Absent if the header values do not define clusters and tables. */
  readonly geometry?: Geometry;
  /** Offset of the first byte after the header. */
  readonly extensionsStart: number;
  readonly extensionsEnd: number;
  readonly extensions: LazyList<Extension>;
  /** The extension area ends with an end marker. */
  readonly endMarker: boolean;
}

/** Cluster sizes for which arithmetic is exact: more than any implementation supports. */
const MAX_CLUSTER_BITS = 30;
const EXTENSION_ALIGNMENT = 8;
/** Number of extensions without data that fit into the largest cluster that QEMU accepts. */
const EXTENSIONS_MAX = 2 ** limits.clusterBits.max / extensionHead.size;

/** Decodes the header and the extensions of any bytes. */
export function decodeQcow2(source: ByteSource): Qcow2File {
  const head = decodeHeader(source);
  const geometry = soundGeometry(head);
  const clusterSize = geometry?.clusterSize ?? 0;
  const start = head.header_length;
  const end = head.backing_file_offset === 0n
    ? clusterSize
    : Number(head.backing_file_offset <= BigInt(clusterSize) ? head.backing_file_offset : 0n);
  const { extensions, endMarker } = decodeExtensions(source, start, end);
  return {
    source,
    header: head,
    ...(geometry === undefined ? {} : { geometry }),
    extensionsStart: start,
    extensionsEnd: end,
    extensions,
    endMarker,
  };
}

function decodeHeader(source: ByteSource): Header {
  const head = decode(header, readUpTo(source, 0, header.size));
  if (head.version < 3) {
    return {
      ...head,
      incompatible_features: 0n,
      compatible_features: 0n,
      autoclear_features: 0n,
      refcount_order: V2_REFCOUNT_ORDER,
      header_length: headerV2.size,
      compression_type: 0,
      padding: new Uint8Array(head.padding.length),
    };
  }
  // A field at or past header_length is absent and reads as zero.
  if (head.header_length <= offsetOf(header, "compression_type")) head.compression_type = 0;
  const padding = head.header_length - offsetOf(header, "padding");
  if (padding < head.padding.length) head.padding.fill(0, Math.max(0, padding));
  return head;
}

function soundGeometry(head: Header): Geometry | undefined {
  const { cluster_bits, refcount_order } = head;
  if (cluster_bits < limits.clusterBits.min || cluster_bits > MAX_CLUSTER_BITS) return undefined;
  if (refcount_order > limits.refcountOrder) return undefined;
  return geometryOf({
    clusterBits: cluster_bits,
    refcountOrder: refcount_order,
    extendedL2: (head.incompatible_features & features.extendedL2) !== 0n,
  });
}

function decodeExtensions(
  source: ByteSource,
  start: number,
  end: number,
): Pick<Qcow2File, "extensions" | "endMarker"> {
  const buffered = new BufferedSource(source);
  const offsets: number[] = [];
  let endMarker = false;
  for (let at = start; at < end && offsets.length < EXTENSIONS_MAX && !endMarker;) {
    const { type, length, dataOffset, dataFits } = decodeExtension(buffered, at, end);
    offsets.push(at);
    if (!dataFits) break;
    endMarker = type === extensionTypes.end;
    at = dataOffset + roundUp(length, EXTENSION_ALIGNMENT);
  }
  const decoded = (index: number) => decodeExtension(buffered, offsets[index] ?? 0, end);
  return { extensions: new LazyList(offsets.length, decoded), endMarker };
}

function decodeExtension(source: ByteSource, offset: number, end: number): Extension {
  const { type, length } = decode(extensionHead, source.read(offset, extensionHead.size));
  const dataOffset = offset + extensionHead.size;
  const headFits = dataOffset <= end;
  return {
    type,
    length,
    offset,
    dataOffset,
    headFits,
    dataFits: headFits && length <= end - dataOffset,
  };
}

/** The last extension of a type, which takes effect if there are several. */
export function extensionOf(file: Qcow2File, type: number): Extension | undefined {
  let last: Extension | undefined;
  for (const extension of file.extensions) {
    if (extension.type === type && extension.dataFits && extension.headFits) last = extension;
  }
  return last;
}

/** The first extension of a type, whether or not it fits. */
export function firstExtensionOf({ extensions }: Qcow2File, type: number): Extension | undefined {
  return extensions.at(extensions.findIndex((extension) => extension.type === type));
}

/** The data of an extension. Bytes past the end of the file are zeros. */
export function extensionData(file: Qcow2File, extension: Extension): Uint8Array {
  return file.source.read(extension.dataOffset, extension.length);
}

/** Whether the image has a feature; `mask` is one of `features`. */
export function has(file: { header: Header }, mask: "dirty" | "corrupt" | "dataFile"): boolean {
  return (file.header.incompatible_features & features[mask]) !== 0n;
}
