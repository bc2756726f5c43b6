import { builtin } from "../bytes/mod.ts";

type Zlib = typeof import("node:zlib");

/** The part of the runtime's libzstd that is used here. */
export type Libzstd = Pick<Zlib, "constants" | "zstdCompressSync" | "zstdDecompressSync">;

/** The runtime lacks a feature. This is not about an image. */
export class UnsupportedRuntimeError extends Error {
  /** The name of the class. */
  static override readonly name: string = "UnsupportedRuntimeError";
}

/**
 * The runtime's libzstd.
 *
 * @throws {UnsupportedRuntimeError} if it has none
 */
export function libzstd(): Libzstd {
  const zlib = builtin("node:zlib");
  const found: Partial<Libzstd> = zlib;
  if (found.zstdDecompressSync !== undefined) return zlib;
  throw new UnsupportedRuntimeError("Cannot use zstd: this requires Deno 2.9 or Node 22.15");
}
