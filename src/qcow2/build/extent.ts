import type { Placed } from "../../format/mod.ts";
import type { Struct } from "../../layout/mod.ts";

/** A run of bytes that has to be put somewhere in the image file. */
export interface Extent {
  /** Its name among what is placed. */
  readonly path: string;
  /** In bytes; above 0. */
  readonly length: number;
  readonly role: Placed["role"];
  readonly struct?: Struct;
  readonly count?: number;
  /** References to every host cluster that it touches. */
  refs: number;
  /**
   * Compressed data only, which need not start at a cluster: bytes to leave free before it. It shares
   * host clusters with the compressed data before and after it.
   */
  readonly gap?: number;
  /** Where it is in the file; meaningless until it has been placed. */
  offset: number;
}

/** Clusters of data: bytes without fields. */
export function dataExtent(path: string, length: number, gap?: number): Extent {
  return { path, length, role: "data", refs: 1, offset: 0, ...(gap === undefined ? {} : { gap }) };
}

/** A table of `count` structures. */
export function tableExtent(path: string, struct: Struct, count: number): Extent {
  return { path, length: count * struct.size, role: "table", struct, count, refs: 1, offset: 0 };
}

/** The extent as edits see it. */
export function placedOf({ path, offset, length, role, struct, count }: Extent): Placed {
  return {
    path,
    offset,
    length,
    role,
    ...(struct === undefined ? {} : { struct }),
    ...(count === undefined ? {} : { count }),
  };
}
