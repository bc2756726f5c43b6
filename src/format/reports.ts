import type { Json } from "./layer.ts";

/** One entry of a map in qemu-img's shape. */
export interface MapEntry {
  /** First byte on the virtual disk. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
  /** 0 for the image itself, 1 for its backing file, and so on. */
  readonly depth: number;
  /** Absent from the answers of qemu-img before 6.1. */
  readonly present?: boolean;
  /** Whether it reads as zeros. */
  readonly zero: boolean;
  /** Whether it is stored in a file of the chain. */
  readonly data: boolean;
  /** Absent from the answers of qemu-img before 8.2. */
  readonly compressed?: boolean;
  /** Byte offset in the file, for data that is stored as it is. */
  readonly offset?: number;
}

/** `info` in qemu-img's shape. */
export interface InfoReport {
  /** Size of the virtual disk in bytes. */
  readonly "virtual-size": number;
  /** Name of the format. */
  readonly format: string;
  /** Further members, with qemu-img's names. */
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
