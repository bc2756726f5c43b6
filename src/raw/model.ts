import type { Pattern } from "../format/mod.ts";

/** A raw image: a pattern over `size` bytes. */
export interface RawModel {
  readonly format: "raw";
  /** Length in bytes, any. */
  readonly size: number;
  readonly pattern: Pattern;
}
