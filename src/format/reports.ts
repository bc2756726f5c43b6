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
