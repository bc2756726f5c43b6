import type { Placed } from "../../format/mod.ts";
import type { Struct } from "../../layout/mod.ts";

/** A run of bytes that needs an offset in the image file. */
export interface Extent {
  /** Its name among the parts of the image. */
  readonly path: string;
  /** In bytes; above 0. */
  readonly length: number;
  readonly role: Placed["role"];
  readonly struct?: Struct;
  readonly count?: number;
  /** References to each host cluster that it touches. */
  refs: number;
  /**
   * Only for compressed data, which does not have to start at a cluster: bytes to leave free before
   * it. It shares host clusters with the compressed data before and after it.
   */
  readonly gap?: number;
  /** Its offset in the file; undefined until it is placed. */
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

/** The extent as a part that edits can name. */
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
