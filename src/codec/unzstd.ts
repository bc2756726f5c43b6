import { joined, plainBytes } from "./arrays.ts";
import { type Decompressed, refused } from "./decompressed.ts";
import { libzstd } from "./libzstd.ts";
import {
  BLOCK_CONTENT_MAX,
  type ContentFrame,
  findFrame,
  type FrameHeader,
  frameHeader,
} from "./zstd_frame.ts";

/** The smallest `chunkSize` that node:zlib accepts. */
const CHUNK_MIN = 64;

/** libzstd rejects a header with a larger window, whether it needs the window or not. */
const HEADER_WINDOW_MAX = 2 ** 32 - 1;

/** The largest window that libzstd allocates by default, in bytes. */
const WINDOW_MAX = 2 ** 27 + 1;

/** The checksum of an empty frame: the lower four bytes of the XXH64 of no data, little-endian. */
const EMPTY_CHECKSUM = [0x99, 0xe9, 0xd8, 0x51];

/** Larger windows are avoided: their memory is out of proportion to a cluster. */
const WINDOW_AS_IT_IS = 2 ** 23;

/**
 * Decompresses a cluster of qcow2 with compression type 1 (Zstandard, RFC 8878) as QEMU does: frame
 * after frame until there is one cluster of output. The stream is valid if and only if the last
 * step finished a frame. Therefore:
 *
 * - a full cluster may consist of several frames, with empty and skippable frames among them, and
 *   with nothing else between them;
 * - data after the frame that completes the cluster is ignored;
 * - a frame with more content than is missing makes the stream invalid, and so does an end of the
 *   input before the cluster is complete;
 * - a frame with a dictionary is rejected, and so is a frame with a window above 128 MiB, unless it
 *   states the size of its content: then libzstd decodes without a window.
 *
 * The runtime's libzstd decides whether a block is malformed. Before version 1.5.6 it accepted some
 * that it rejects now, so an older build of QEMU may read them.
 *
 * @param input all the bytes that the decoder may see, including those after the stream
 * @param clusterSize in bytes, above 0
 *
 * @example
 * ```ts
 * import { unzstdCluster, zstdCluster } from "./mod.ts";
 *
 * const cluster = new Uint8Array(4096).fill(7);
 * const again = unzstdCluster(zstdCluster(cluster), 4096);
 * if (again.ok) console.log(again.bytes.length); // 4096
 * ```
 */
export function unzstdCluster(input: Uint8Array, clusterSize: number): Decompressed {
  let cluster: Uint8Array | undefined;
  let filled = 0;
  let at = 0;
  while (filled < clusterSize) {
    if (at === input.length) {
      return refused(`the zstd frames end after ${filled} of ${clusterSize} bytes`);
    }
    const frame = findFrame(input, at);
    if (typeof frame === "string") return refused(`the zstd frame at ${at} ${frame}`);
    const end = at + frame.size;
    if (frame.kind === "content") {
      const content = decodeFrame(input.subarray(at, end), frame, clusterSize - filled);
      if (typeof content === "string") return refused(`the zstd frame at ${at} ${content}`);
      if (content.length === clusterSize) return { ok: true, bytes: content };
      cluster ??= new Uint8Array(clusterSize);
      cluster.set(content, filled);
      filled += content.length;
    }
    at = end;
  }
  return { ok: true, bytes: cluster ?? new Uint8Array(clusterSize) };
}

/**
 * The content of one frame, or what is wrong with it. The cluster lacks `room` bytes.
 *
 * libzstd decodes in two ways. A frame that states a size that fits is decoded directly into the
 * output. Any other frame is decoded through a window; then the stated size is compared with the
 * content only if the last block has content.
 */
function decodeFrame(bytes: Uint8Array, frame: ContentFrame, room: number): Uint8Array | string {
  const { header, blocks } = frame;
  const { contentSize, windowDescriptor, windowSize, dictionaryId } = header;
  if (dictionaryId !== 0) return `needs dictionary ${dictionaryId}`;
  const atOnce = contentSize !== undefined && contentSize <= room;
  const tooLarge = atOnce
    ? windowDescriptor !== undefined && windowSize > HEADER_WINDOW_MAX
    : windowSize > WINDOW_MAX;
  if (tooLarge) return `asks for a window of ${windowSize} bytes`;
  const contentMax = Math.min(room, blocks.contentMax);
  const small = contentMax === 0 && (contentSize ?? 0) === 0;
  if (small && isEmptyFrame(bytes, header)) return new Uint8Array(0);
  if (atOnce) {
    return contentSize > contentMax
      ? `reports ${contentSize} bytes and holds no more than ${contentMax}`
      : decompress(bytes, { room, contentMax });
  }

  if (contentSize !== undefined && !blocks.lastIsEmpty) {
    return `reports ${contentSize} bytes where ${room} are missing`;
  }
  if (blocks.largest > Math.min(windowSize, BLOCK_CONTENT_MAX)) {
    return `has a block of ${blocks.largest} bytes, which is more than its window allows`;
  }
  const asItIs = contentSize === undefined && windowSize <= WINDOW_AS_IT_IS;
  return decompress(asItIs ? bytes : withoutSize(bytes, header, room), { room, contentMax });
}

/**
 * Whether a frame without content is valid. A hostile cluster can consist of a hundred thousand of
 * these, and each would cost a call of libzstd.
 */
function isEmptyFrame(bytes: Uint8Array, { checksum }: FrameHeader): boolean {
  return !checksum || EMPTY_CHECKSUM.every((byte, i) => bytes[bytes.length - 4 + i] === byte);
}

/**
 * The frame with a header that states no size, so that it is decoded through a window, and with a
 * window that is no larger than `room` bytes and the largest block require.
 */
function withoutSize(bytes: Uint8Array, header: FrameHeader, room: number): Uint8Array {
  const enough = Math.max(BLOCK_CONTENT_MAX, room);
  const windowLog = Math.ceil(Math.log2(enough));
  const { windowDescriptor, windowSize, checksum } = header;
  return joined([
    frameHeader({
      checksum,
      windowDescriptor: windowDescriptor === undefined || windowSize > enough
        ? (windowLog - 10) << 3
        : windowDescriptor,
    }),
    bytes.subarray(header.size),
  ]);
}

/**
 * The content of exactly one frame, by the runtime's libzstd.
 *
 * @param limits `contentMax` is the most content that the blocks can hold and that fits. It is at
 *   least the size that the frame states, if any; otherwise libzstd would decode through a window
 */
function decompress(
  frame: Uint8Array,
  limits: { readonly room: number; readonly contentMax: number },
): Uint8Array | string {
  const { room, contentMax } = limits;
  // One byte more than needed: node:zlib would allocate a second buffer when the first is exactly
  // full.
  const chunkSize = Math.max(CHUNK_MIN, contentMax + 1);
  const { zstdDecompressSync } = libzstd();
  try {
    return plainBytes(zstdDecompressSync(frame, { chunkSize, maxOutputLength: room }));
  } catch (error) {
    if (error instanceof RangeError) return `holds more than the ${room} bytes that are missing`;
    return `is malformed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
