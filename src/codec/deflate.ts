import {
  Deflate,
  Z_DEFAULT_STRATEGY,
  Z_FILTERED,
  Z_FINISH,
  Z_FIXED,
  Z_HUFFMAN_ONLY,
  Z_OK,
  Z_RLE,
  type Z_Strategy,
  Z_SYNC_FLUSH,
} from "pako";
import { joined } from "./arrays.ts";

/** How zlib looks for matches and chooses codes. */
export type DeflateStrategy = "default" | "filtered" | "huffman-only" | "rle" | "fixed";

/** Options of {@link deflateCluster}. The defaults are QEMU's. */
export interface DeflateOptions {
  /** 0 (stored blocks) to 9, or -1 for zlib's default, which is QEMU's. */
  readonly level?: -1 | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  /** Log2 of the largest distance of a match: 9 to 15; QEMU's is 12. */
  readonly windowBits?: 9 | 10 | 11 | 12 | 13 | 14 | 15;
  /** Log2 of the number of symbols in a block, minus 6: 1 to 9; QEMU's is 9. */
  readonly memLevel?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  /** QEMU's is `default`. */
  readonly strategy?: DeflateStrategy;
  /**
   * Whether the stream ends with a final block, as QEMU's do. If not, it ends with the empty stored
   * block of a sync flush, and streams can be joined.
   */
  readonly finish?: boolean;
}

const STRATEGIES: Readonly<Record<DeflateStrategy, Z_Strategy>> = {
  default: Z_DEFAULT_STRATEGY,
  filtered: Z_FILTERED,
  "huffman-only": Z_HUFFMAN_ONLY,
  rle: Z_RLE,
  fixed: Z_FIXED,
};

/**
 * Writes a raw deflate stream (RFC 1951). Without options, the result has the bytes that QEMU
 * writes for the cluster, whatever zlib the runtime has.
 *
 * QEMU keeps a result only if it is shorter than the cluster. The caller must check this.
 *
 * @throws {RangeError} when an option is out of its range
 *
 * @example
 * ```ts
 * import { deflateCluster } from "./mod.ts";
 *
 * const cluster = new Uint8Array(4096).fill(7);
 * const asQemu = deflateCluster(cluster);
 * const openEnded = deflateCluster(cluster, { windowBits: 15, finish: false });
 * ```
 */
export function deflateCluster(bytes: Uint8Array, options: DeflateOptions = {}): Uint8Array {
  const { windowBits = 12, memLevel = 9, level = -1, strategy = "default", finish = true } =
    options;
  const chunks: Uint8Array[] = [];
  const deflate = openDeflate({ windowBits, memLevel, level, strategy: STRATEGIES[strategy] });
  deflate.onData = (chunk) => chunks.push(chunk);
  if (!deflate.push(bytes, finish ? Z_FINISH : Z_SYNC_FLUSH) || deflate.err !== Z_OK) {
    throw new RangeError(`Cannot deflate a cluster: ${deflate.msg || `status ${deflate.err}`}`);
  }
  return joined(chunks);
}

/** A raw deflater with the hashing of the canonical zlib, on which the choice of matches depends. */
function openDeflate(
  options: { level: number; windowBits: number; memLevel: number; strategy: Z_Strategy },
): Deflate {
  try {
    return new Deflate({ ...options, raw: true, legacyHash: true });
  } catch (error) {
    const { level, windowBits, memLevel } = options;
    throw new RangeError(
      `Cannot deflate a cluster: level ${level}, window bits ${windowBits} or memory level ` +
        `${memLevel} is out of range`,
      { cause: error },
    );
  }
}
