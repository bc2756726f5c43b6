import type { Json } from "./layer.ts";

/** One entry of a map in qemu-img's shape. */
export interface MapEntry {
  readonly start: number;
  readonly length: number;
  readonly depth: number;
  /** Absent from the answers of qemu-img before 6.1. */
  readonly present?: boolean;
  readonly zero: boolean;
  readonly data: boolean;
  /** Absent from the answers of qemu-img before 8.2. */
  readonly compressed?: boolean;
  readonly offset?: number;
}

/** `info` in qemu-img's shape. */
export interface InfoReport {
  readonly "virtual-size": number;
  readonly format: string;
  readonly [key: string]: Json;
}

/** JSON of which a list may be made while it is read: there may be tens of thousands of snapshots. */
export type LazyJson = Json | Iterable<LazyJson> | { readonly [key: string]: LazyJson };

/** `info` in qemu-img's shape, whose snapshots are made one by one. */
export interface LazyInfo {
  readonly "virtual-size": number;
  readonly format: string;
  readonly snapshots?: Iterable<Json>;
  readonly [key: string]: LazyJson | undefined;
}
