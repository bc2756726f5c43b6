import {
  Z_BUF_ERROR,
  Z_FINISH,
  Z_STREAM_END,
  zlibInflate,
  zlibInflateEnd,
  zlibInflateInit2,
  ZStream,
} from "pako";
import { builtin } from "../bytes/mod.ts";
import { plainBytes } from "./arrays.ts";
import { type Decompressed, refused } from "./decompressed.ts";

/** QEMU asks for 4 KiB; matches reach further all the same, being copied out of the output. */
const WINDOW_BITS = 12;

/** The smallest `chunkSize` that node:zlib takes. */
const CHUNK_MIN = 64;

/**
 * Inflates a compressed cluster of qcow, or of qcow2 with compression type 0 (raw deflate, RFC
 * 1951), as QEMU does: one call of zlib's `inflate` with `Z_FINISH` and room for one cluster. The
 * stream is good if and only if the room is full and zlib reports the end of the stream or a lack
 * of input or room. So,
 *
 * - a stream of more than one cluster is cut;
 * - a stream may lack its end, once the cluster is full;
 * - but zlib reads on behind the last byte of the cluster until it meets data that needs room. What
 *   is malformed there refuses the cluster: so do zeros after a stream without a final block.
 *
 * @param input all the bytes that the decoder may see, what follows the stream included
 * @param clusterSize in bytes, above 0
 *
 * @example
 * ```ts
 * import { deflateCluster, inflateCluster } from "./mod.ts";
 *
 * const cluster = new Uint8Array(4096).fill(7);
 * const again = inflateCluster(deflateCluster(cluster), 4096);
 * if (again.ok) console.log(again.bytes.length); // 4096
 * ```
 */
export function inflateCluster(input: Uint8Array, clusterSize: number): Decompressed {
  const whole = expectsWhole ? inflateWhole(input, clusterSize) : undefined;
  const inflated = whole ?? inflateByStatus(input, clusterSize);
  expectsWhole = inflated.ok;
  return inflated;
}

/**
 * Each stream that node:zlib refuses leaves native memory behind, which the garbage collector does not
 * know of: where one stream is malformed, the next one probably is too, and is not given to it. That
 * makes no difference to the result.
 */
let expectsWhole = true;

/**
 * The usual case at full speed: a whole, sound stream of exactly one cluster. All of it has been
 * decoded to its final block without an error, and behind the last byte of the cluster it holds
 * nothing that needs room, so QEMU's call ends with `Z_STREAM_END` and a full buffer. Of anything
 * else node:zlib does not tell enough.
 */
function inflateWhole(input: Uint8Array, clusterSize: number): Decompressed | undefined {
  try {
    // One byte more than fits: a buffer that is exactly full would make node:zlib fetch another.
    const chunkSize = Math.max(CHUNK_MIN, clusterSize + 1);
    const bytes = builtin("node:zlib").inflateRawSync(input, {
      chunkSize,
      maxOutputLength: clusterSize,
    });
    return bytes.length === clusterSize ? { ok: true, bytes: plainBytes(bytes) } : undefined;
  } catch {
    return undefined;
  }
}

/** Every case, by the status of zlib itself (pako is its port, and keeps its calls). */
function inflateByStatus(input: Uint8Array, clusterSize: number): Decompressed {
  const stream = new ZStream();
  const bytes = new Uint8Array(clusterSize);
  zlibInflateInit2(stream, -WINDOW_BITS);
  stream.input = input;
  stream.avail_in = input.length;
  stream.output = bytes;
  stream.avail_out = clusterSize;
  const status = zlibInflate(stream, Z_FINISH);
  zlibInflateEnd(stream);

  const full = stream.avail_out === 0;
  const progress = `after ${stream.next_out} of ${clusterSize} bytes`;
  if (status === Z_STREAM_END) {
    return full ? { ok: true, bytes } : refused(`the deflate stream ends ${progress}`);
  }
  if (status === Z_BUF_ERROR) {
    return full ? { ok: true, bytes } : refused(`the deflate stream is cut off ${progress}`);
  }
  return refused(`the deflate stream is malformed ${progress}: ${stream.msg}`);
}
