import { SECTOR } from "../../bytes/mod.ts";
import { compressedInput, inflateCluster, unzstdCluster } from "../../codec/mod.ts";
import { AccessError, readSectors } from "../../format/mod.ts";
import { classOf, compressedRange, hostOffset, type L2Entry } from "../l2_entries.ts";
import { compressionTypes } from "../structures.ts";
import type { WritableImage } from "./image.ts";

/** A guest cluster and its L2 entry. */
export interface GuestCluster {
  /** Byte offset on the guest's disk. */
  readonly guest: number;
  readonly entry: L2Entry;
}

/** What a subcluster is. A cluster without subclusters is one. */
export type UnitState = "data" | "zero" | "unallocated" | "compressed";

/** The state of a subcluster. */
export function stateOf(
  image: WritableImage,
  { high, low, ...bits }: L2Entry,
  unit: number,
): UnitState {
  const kind = classOf(high, low, image.context);
  if (kind === "compressed") return kind;
  if (!image.geometry.extendedL2) {
    if (kind === "unallocated") return kind;
    return kind === "normal" ? "data" : "zero";
  }
  if ((bits.zero >>> unit & 1) === 1) return "zero";
  return kind === "normal" && (bits.allocated >>> unit & 1) === 1 ? "data" : "unallocated";
}

/**
 * The content of a part of a guest cluster. Past the end of the disk it is zeros.
 *
 * @throws {AccessError} if it cannot be read
 */
export function readCluster(
  image: WritableImage,
  cluster: GuestCluster,
  [from, to]: readonly [number, number],
): Uint8Array {
  const { subclusterSize } = image.geometry;
  const target = new Uint8Array(to - from);
  const end = Math.min(to, image.virtualSize - cluster.guest);
  for (let at = from; at < end;) {
    const unit = Math.floor(at / subclusterSize);
    const next = Math.min(end, (unit + 1) * subclusterSize);
    const part = target.subarray(at - from, next - from);
    const state = stateOf(image, cluster.entry, unit);
    if (state === "compressed") {
      target.set(decompressed(image, cluster).subarray(at, end), at - from);
      break;
    }
    if (state === "data") readStored(image, cluster, { at, part });
    else if (state === "unallocated") image.below?.readInto(cluster.guest + at, part);
    at = next;
  }
  return target;
}

function readStored(
  image: WritableImage,
  { guest, entry }: GuestCluster,
  { at, part }: { at: number; part: Uint8Array },
): void {
  const data = image.dataFile ?? image.store;
  const host = hostOffset(entry.high, entry.low);
  const access = image.opened.encryption?.access;
  if (access === undefined) return data.readInto(host + at, part);
  if (typeof access !== "function") throw new AccessError(access);
  readSectors(part, at, {
    read: (bytes, from) => data.readInto(host + from, bytes),
    decrypt: (bytes, from) => access(bytes, { guest: guest + from, host: host + from }),
  });
}

function decompressed(image: WritableImage, { guest, entry }: GuestCluster): Uint8Array {
  const { geometry, store, file } = image;
  const range = compressedRange(entry.high, entry.low, geometry);
  const input = compressedInput(store, range);
  const zstd = file.header.compression_type === compressionTypes.zstd;
  const result = zstd
    ? unzstdCluster(input, geometry.clusterSize)
    : inflateCluster(input, geometry.clusterSize);
  if (result.ok) return result.bytes;
  throw new AccessError({
    rule: zstd ? "qcow2.comp.zstd" : "qcow2.comp.inflate",
    place: { path: `/guest[${guest}]`, offset: range.offset },
    message: `The compressed cluster at guest offset ${guest} is invalid: ${result.reason}`,
  });
}

/**
 * Writes bytes of a cluster where they are stored: encrypted if the image is, and to an external data
 * file only up to the end of the disk. With encryption, they must be whole sectors.
 */
export function writeStored(
  image: WritableImage,
  bytes: Uint8Array,
  { guest, host }: { readonly guest: number; readonly host: number },
): void {
  const { store, dataFile, virtualSize } = image;
  const encrypt = image.opened.encryption?.encrypt;
  const stored = encrypt === undefined ? bytes : bytes.slice();
  encrypt?.(stored, { guest, host });
  if (dataFile === undefined) store.write(host, stored);
  else dataFile.write(host, stored.subarray(0, Math.max(0, virtualSize - guest)));
}

/** The multiple of this in bytes that is written at once: encryption is by sector. */
export function writeUnit(image: WritableImage): number {
  return image.opened.encryption === undefined ? 1 : SECTOR;
}
