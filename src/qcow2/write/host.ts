import type { ByteStore } from "../../bytes/mod.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import type { HeaderFields } from "./header.ts";

/** A sequence of host clusters. */
export interface Clusters {
  /** Number of the first one. */
  readonly first: number;
  readonly count: number;
}

/** The clusters of a table. Its offset is that of the first. */
export function clustersAt({ clusterSize }: Geometry, offset: number, bytes: number): Clusters {
  return { first: offset / clusterSize, count: Math.ceil(bytes / clusterSize) };
}

/** The parts of an image that are changed: its file, its header and its tables. */
export interface HostFile {
  readonly store: ByteStore;
  readonly geometry: Geometry;
  /** The header and its extensions as they are now. */
  readonly file: Qcow2File;
  /** Halves of 64-bit table entries at a byte offset. */
  words(offset: number, count: number): number[];
  /** Writes halves of 64-bit table entries at a byte offset. */
  setWords(offset: number, words: readonly number[]): void;
  /** Changes fields of the header in one write. */
  setHeader(fields: HeaderFields): void;
  /** Forgets the layer, after tables were written. */
  changed(): void;
  /** Releases a reference to clusters after the next barrier. */
  free(clusters: Clusters): void;
}
