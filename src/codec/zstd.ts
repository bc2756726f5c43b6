import { joined, plainBytes } from "./arrays.ts";
import { libzstd } from "./libzstd.ts";
import {
  BLOCK_CONTENT_MAX,
  blockHeader,
  findFrame,
  fitsTwoBytes,
  frameHeader,
  SKIPPABLE_MAGIC,
} from "./zstd_frame.ts";

const LEVEL_DEFAULT = 3;
/**
 * By default, libzstd does not decode a frame that needs a larger window. None is allocated here
 * either.
 */
const COMPRESSED_WINDOW_LOG_MAX = 27;
const WINDOW_LOG = 17;
/** The largest that a header can store. */
const STORED_WINDOW_LOG_MAX = 41;

/** A frame before the last one. Lengths are in bytes. */
export type ZstdPart =
  /** The next `length` bytes of the content; an empty frame if `length` is 0. */
  | { readonly kind: "content"; readonly length: number }
  /** A skippable frame of `length` zeros with one of the sixteen magic numbers. */
  | { readonly kind: "skippable"; readonly length: number; readonly variant?: number };

/** Options of {@link zstdCluster}. The defaults are QEMU's. */
export interface ZstdOptions {
  /** -7 to 22; QEMU's is zstd's default, 3. */
  readonly level?: number;
  /**
   * Log2 of the window, 10 to 27, or to 41 when `stored`; by default zstd chooses by level and
   * size. It is stored only if the content needs more than one window or the frame does not state
   * its size.
   */
  readonly windowLog?: number;
  /** Whether each frame ends with a checksum; QEMU's do not. */
  readonly checksum?: boolean;
  /** Whether each frame states the size of its content, as QEMU's do. */
  readonly contentSize?: boolean;
  /**
   * Whether to write only raw blocks and runs, which give the same bytes on every runtime. Only
   * `parts`, `contentSize` and `windowLog` of the other options apply then.
   */
  readonly stored?: boolean;
  /**
   * Another header for each frame: with a window of 128 MiB, or with a size of two bytes that is too large,
   * which a decoder accepts before an empty last block. It goes with no checksum.
   */
  readonly restated?: "window" | "size";
  /** Frames to write first; the rest of the content is the last frame. */
  readonly parts?: readonly ZstdPart[];
}

/**
 * Writes Zstandard frames (RFC 8878). Without options it is one frame as QEMU writes it for the
 * cluster, if the runtime's libzstd makes the same choices as QEMU's. They change between versions.
 *
 * QEMU keeps a result only if it is shorter than the cluster. The caller must check this.
 *
 * @throws {RangeError} when an option is out of its range
 *
 * @example
 * ```ts
 * import { zstdCluster } from "./mod.ts";
 *
 * const cluster = new Uint8Array(4096).fill(7);
 * const asQemu = zstdCluster(cluster);
 * const twoFrames = zstdCluster(cluster, {
 *   checksum: true,
 *   parts: [{ kind: "skippable", length: 16 }, { kind: "content", length: 1000 }],
 * });
 * ```
 */
export function zstdCluster(bytes: Uint8Array, options: ZstdOptions = {}): Uint8Array {
  checkOptions(options);
  const encode = options.stored ? storedFrame : compressedFrame;
  const frameOf = (content: Uint8Array): Uint8Array =>
    restated(encode(content, options), content, options);
  const frames: Uint8Array[] = [];
  let at = 0;
  for (const part of options.parts ?? []) {
    if (part.kind === "skippable") {
      frames.push(skippableFrame(part.length, part.variant ?? 0));
    } else {
      const end = Math.min(bytes.length, at + part.length);
      frames.push(frameOf(bytes.subarray(at, end)));
      at = end;
    }
  }
  if (at < bytes.length || frames.length === 0) {
    frames.push(frameOf(bytes.subarray(at)));
  }
  return joined(frames);
}

function checkOptions(options: ZstdOptions): void {
  const { level = LEVEL_DEFAULT, windowLog = 10, stored = false } = options;
  const windowLogMax = stored ? STORED_WINDOW_LOG_MAX : COMPRESSED_WINDOW_LOG_MAX;
  if (!(level >= -7 && level <= 22)) {
    throw new RangeError(`Cannot compress a cluster: no level ${level} in zstd`);
  }
  if (!(windowLog >= 10 && windowLog <= windowLogMax)) {
    throw new RangeError(`Cannot compress a cluster: window log ${windowLog} is out of range`);
  }
}

/** A frame that the runtime's libzstd writes. */
function compressedFrame(content: Uint8Array, options: ZstdOptions): Uint8Array {
  const { constants, zstdCompressSync } = libzstd();
  const { level = LEVEL_DEFAULT, windowLog, checksum = false, contentSize = true } = options;
  const params: Record<number, number> = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
  };
  if (windowLog !== undefined) params[constants.ZSTD_c_windowLog] = windowLog;
  // libzstd stores the size of the content only if it is pledged.
  const settings = { params, ...(contentSize ? { pledgedSrcSize: content.length } : {}) };
  return plainBytes(zstdCompressSync(content, settings));
}

/** The byte of a header for a window. */
function descriptorOf(windowLog: number): number {
  return (windowLog - 10) << 3;
}

/** A frame of raw blocks, or of runs where a block repeats one byte. */
function storedFrame(content: Uint8Array, options: ZstdOptions): Uint8Array {
  const windowLog = options.windowLog ?? WINDOW_LOG;
  const blockMax = Math.min(BLOCK_CONTENT_MAX, 2 ** windowLog);
  const contentSize = options.contentSize === false ? undefined : content.length;
  const chunks = [frameHeader({ windowDescriptor: descriptorOf(windowLog), contentSize })];
  let at = 0;
  do {
    const block = content.subarray(at, at + blockMax);
    at += block.length;
    const run = block.length > 0 && block.every((byte) => byte === block[0]);
    chunks.push(blockHeader({ size: block.length, run, last: at === content.length }));
    chunks.push(run ? block.subarray(0, 1) : block);
  } while (at < content.length);
  return joined(chunks);
}

/** Bytes that a frame states too many: a decoder with more room would reject it. */
const OVERSTATED = 1;

/** A frame without a checksum with another header, if one is wanted that the content fits. */
function restated(
  frame: Uint8Array,
  { length }: Uint8Array,
  { restated }: ZstdOptions,
): Uint8Array {
  const found = restated === undefined ? undefined : findFrame(frame, 0);
  if (typeof found !== "object" || found.kind !== "content") return frame;
  const blocks = frame.slice(found.header.size);
  if (restated === "window") {
    return joined([
      frameHeader({ windowDescriptor: descriptorOf(COMPRESSED_WINDOW_LOG_MAX) }),
      blocks,
    ]);
  }
  const contentSize = length + OVERSTATED;
  if (!fitsTwoBytes(contentSize)) return frame;
  const header = frameHeader({
    windowDescriptor: descriptorOf(WINDOW_LOG),
    contentSize,
    short: true,
  });
  const last = found.blocks.lastAt - found.header.size;
  blocks[last] = (blocks[last] as number) & ~1;
  return joined([header, blocks, blockHeader({ size: 0, run: false, last: true })]);
}

/** A frame that a decoder skips: zeros. */
function skippableFrame(length: number, variant: number): Uint8Array {
  if (!(variant >= 0 && variant < 16)) {
    throw new RangeError(`Cannot write a skippable frame: no magic number ${variant}`);
  }
  const frame = new DataView(new ArrayBuffer(8 + length));
  frame.setUint32(0, SKIPPABLE_MAGIC + variant, true);
  frame.setUint32(4, length, true);
  return new Uint8Array(frame.buffer);
}
