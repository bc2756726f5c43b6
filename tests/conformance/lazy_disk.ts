/** Disks of clusters, as the lazy reader reads them. */

import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { constants, inflateRawSync } from "node:zlib";
import { unzstdCluster } from "../../src/codec/mod.ts";

/** The image is not one that this reader accepts. */
export class Rejected extends Error {}
/** The image needs a feature that this reader lacks. */
export class Lacking extends Error {}

/** A run of the disk, as a reader without flags sees it. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly zero: boolean;
}

/** A disk that can be read. */
export interface Disk {
  readonly format: string;
  readonly size: number;
  /** Bytes at an offset; those past the end are zeros. */
  read(offset: number, target: Uint8Array): void;
  /** What a range consists of. */
  stretches(from: number, to: number): Iterable<Stretch>;
}

/** How one cluster is stored. */
export type Cluster =
  | { readonly kind: "data"; readonly offset: number }
  | { readonly kind: "packed"; readonly bytes: Buffer }
  | { readonly kind: "zero" | "backing" };

/** A disk of clusters over a backing disk. */
export function clusterDisk(
  { format, size, unit, cluster, file, backing, unpack }: {
    format: string;
    size: number;
    /** Bytes that are looked up at once. */
    unit: number;
    cluster(offset: number): Cluster;
    file: Buffer;
    backing: Disk | undefined;
    unpack(bytes: Buffer): Uint8Array;
  },
): Disk {
  const below = (offset: number, target: Uint8Array): void => {
    target.fill(0);
    const inside = Math.min(target.length, Math.max(0, (backing?.size ?? 0) - offset));
    if (inside > 0) backing?.read(offset, target.subarray(0, inside));
  };
  return {
    format,
    size,
    read: (offset, target) => {
      for (let done = 0; done < target.length;) {
        const at = offset + done;
        const skip = at % unit;
        const part = target.subarray(done, done + unit - skip);
        const found = cluster(at);
        if (found.kind === "backing") below(at, part);
        else {
          part.fill(0);
          if (found.kind === "data") {
            const from = Math.min(file.length, found.offset + skip);
            part.set(file.subarray(from, from + part.length));
          } else if (found.kind === "packed") {
            part.set(unpack(found.bytes).subarray(skip, skip + part.length));
          }
        }
        done += part.length;
      }
    },
    *stretches(from, to) {
      for (let at = from; at < to;) {
        const end = Math.min(to, at - at % unit + unit);
        const found = cluster(at);
        if (found.kind !== "backing") {
          yield { start: at, length: end - at, zero: found.kind === "zero" };
        } else {
          const inside = Math.min(end, Math.max(at, backing?.size ?? 0));
          if (backing !== undefined && inside > at) yield* backing.stretches(at, inside);
          if (inside < end) yield { start: inside, length: end - inside, zero: true };
        }
        at = end;
      }
    },
  };
}

export function inflated(bytes: Buffer, size: number): Uint8Array {
  try {
    const all = inflateRawSync(bytes, {
      maxOutputLength: size,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    if (all.length === size) return all;
  } catch {
    // Rejected below.
  }
  throw new Rejected("compressed data is invalid");
}

export function unpacked(bytes: Buffer, size: number): Uint8Array {
  const result = unzstdCluster(bytes, size);
  if ("bytes" in result) return result.bytes;
  throw new Rejected("compressed data is invalid");
}

/** SHA-256 of a range of a disk. */
export function digestOf(disk: Disk, from = 0, to = disk.size): string {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(2 ** 20);
  const zeros = new Uint8Array(2 ** 20);
  for (const { start, length, zero } of disk.stretches(from, to)) {
    for (let done = 0; done < length; done += chunk.length) {
      const part = (zero ? zeros : chunk).subarray(0, Math.min(chunk.length, length - done));
      if (!zero) disk.read(start + done, part);
      hash.update(part);
    }
  }
  return hash.digest("hex");
}
