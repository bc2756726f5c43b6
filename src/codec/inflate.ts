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
import { plainBytes, Scratch } from "./arrays.ts";
import { type Decompressed, refused } from "./decompressed.ts";

/**
 * QEMU requests a window of 4 KiB. Matches may still reach further, because they are copied from
 * the output.
 */
const WINDOW_BITS = 12;

/** The smallest `chunkSize` that node:zlib accepts. */
const CHUNK_MIN = 64;

/**
 * Inflates a compressed cluster of qcow, or of qcow2 with compression type 0 (raw deflate, RFC
 * 1951), as QEMU does: one call of zlib's `inflate` with `Z_FINISH` and room for one cluster. The
 * stream is valid if and only if the output is full and zlib reports the end of the stream or a
 * lack of input or output space. Therefore:
 *
 * - a stream of more than one cluster is truncated;
 * - a stream may lack its end if the cluster is full;
 * - zlib reads on after the last byte of the cluster up to the next data that needs output space.
 *   Malformed data there makes the stream invalid, and so do zeros after a stream without a final
 *   block.
 *
 * @param input all the bytes that the decoder may see, including those after the stream
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
 * Each stream that node:zlib rejects leaks native memory that the garbage collector does not see.
 * After a malformed stream the next one is probably malformed too, and is not passed to node:zlib.
 * The result is the same.
 */
let expectsWhole = true;

/**
 * The usual case at full speed: a complete, valid stream of exactly one cluster. It is decoded to
 * its final block without an error, and nothing after the last byte of the cluster needs output
 * space, so QEMU's call ends with `Z_STREAM_END` and a full buffer. For other streams node:zlib
 * does not report enough.
 */
function inflateWhole(input: Uint8Array, clusterSize: number): Decompressed | undefined {
  try {
    // One byte more than needed: node:zlib would allocate a second buffer when the first is exactly
    // full.
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

const output = new Scratch();

/** All cases, by the status of zlib itself (pako is a port of it with the same calls). */
function inflateByStatus(input: Uint8Array, clusterSize: number): Decompressed {
  const stream = new ZStream();
  const bytes = output.take(clusterSize);
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
    return full
      ? { ok: true, bytes: bytes.slice() }
      : refused(`the deflate stream ends ${progress}`);
  }
  if (status === Z_BUF_ERROR) {
    return full
      ? { ok: true, bytes: bytes.slice() }
      : refused(`the deflate stream is cut off ${progress}`);
  }
  return refused(`the deflate stream is malformed ${progress}: ${stream.msg}`);
}
