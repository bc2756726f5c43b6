/** The magic number of a Zstandard frame (RFC 8878, 3.1.1.1), little-endian. */
export const FRAME_MAGIC = 0xfd2fb528;
/** The first of the sixteen consecutive magic numbers of skippable frames (RFC 8878, 3.1.2). */
export const SKIPPABLE_MAGIC = 0x184d2a50;
/** Magic number and length of a skippable frame. */
export const SKIPPABLE_HEADER_SIZE = 8;
/** The most content that one block holds (RFC 8878, 3.1.1.2.4). */
export const BLOCK_CONTENT_MAX = 128 * 1024;

const BLOCK_HEADER_SIZE = 3;
const CHECKSUM_SIZE = 4;

/** The types of a block (RFC 8878, 3.1.1.2.2). */
const RAW_BLOCK = 0;
const RLE_BLOCK = 1;
const COMPRESSED_BLOCK = 2;

/** The fields of the header of a Zstandard frame. */
export interface FrameHeader {
  /** Length of the header in bytes, including the magic number. */
  readonly size: number;
  /** The byte with the size of the window; undefined in a frame that is a single segment. */
  readonly windowDescriptor: number | undefined;
  /** The largest distance of a match in bytes. In a single segment: the size of the content. */
  readonly windowSize: number;
  /** 0 if there is none. */
  readonly dictionaryId: number;
  /** Bytes of content, if the frame states them; rounded above 2^53. */
  readonly contentSize: number | undefined;
  /** Whether a checksum follows the last block. */
  readonly checksum: boolean;
}

/** Facts about the blocks of a frame that are visible without decoding them. */
interface Blocks {
  /** Where the last block starts in the input. */
  readonly lastAt: number;
  /** Where the last block ends in the input. */
  readonly end: number;
  /** The most bytes of content that the blocks can hold. */
  readonly contentMax: number;
  /** Bytes of the largest stored block, except runs. */
  readonly largest: number;
  /** Whether the last block has a size of 0, and is not a run. */
  readonly lastIsEmpty: boolean;
}

/** A frame with content, complete in the input. */
export interface ContentFrame {
  readonly kind: "content";
  /** Length in bytes from the magic number to the checksum. */
  readonly size: number;
  readonly header: FrameHeader;
  readonly blocks: Blocks;
}

/** A frame that is complete in the input. */
export type Frame = ContentFrame | { readonly kind: "skippable"; readonly size: number };

/** An unsigned little-endian number; `undefined` if the input ends inside it. */
function littleEndian(input: Uint8Array, at: number, width: number): number | undefined {
  if (at + width > input.length) return undefined;
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (input[at + i] ?? 0);
  return value;
}

/**
 * libzstd uses this number for "unknown", so it treats a frame that stores it as one that does not
 * state the size of its content.
 */
function saysUnknown(input: Uint8Array, at: number, width: number): boolean {
  return width === 8 && littleEndian(input, at, 4) === 0xffffffff &&
    littleEndian(input, at + 4, 4) === 0xffffffff;
}

const CUT = "is cut off in its header";

/** Reads the header of the Zstandard frame at `at`, or says what is wrong with it. */
function readHeader(input: Uint8Array, at: number): FrameHeader | string {
  const descriptor = littleEndian(input, at + 4, 1);
  if (descriptor === undefined) return CUT;
  if ((descriptor & 0x08) !== 0) return "has the reserved bit of its header set";
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryWidth = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentWidth = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;

  const dictionaryAt = at + 5 + (singleSegment ? 0 : 1);
  const contentAt = dictionaryAt + dictionaryWidth;
  const window = singleSegment ? 0 : littleEndian(input, at + 5, 1);
  const dictionaryId = littleEndian(input, dictionaryAt, dictionaryWidth);
  const content = littleEndian(input, contentAt, contentWidth);
  if (window === undefined || dictionaryId === undefined || content === undefined) return CUT;
  const contentSize = contentWidth === 2 ? content + 256 : content;
  const tellsSize = contentWidth > 0 && !saysUnknown(input, contentAt, contentWidth);
  return {
    size: contentAt + contentWidth - at,
    windowDescriptor: singleSegment ? undefined : window,
    windowSize: singleSegment ? contentSize : windowSizeOf(window),
    dictionaryId,
    contentSize: tellsSize ? contentSize : undefined,
    checksum: (descriptor & 0x04) !== 0,
  };
}

/** The window of a descriptor (RFC 8878, 3.1.1.1.2): five bits of exponent, three of eighths. */
function windowSizeOf(descriptor: number): number {
  return 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
}

/** Walks the blocks from `at` on, or says what is wrong with them. */
function walkBlocks(input: Uint8Array, at: number): Blocks | string {
  let contentMax = 0;
  let largest = 0;
  for (let position = at;;) {
    const header = littleEndian(input, position, BLOCK_HEADER_SIZE);
    if (header === undefined) return "is cut off before its last block";
    const lastAt = position;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type > COMPRESSED_BLOCK) return "has a block of the reserved type";
    contentMax += type === COMPRESSED_BLOCK ? BLOCK_CONTENT_MAX : size;
    if (type !== RLE_BLOCK) largest = Math.max(largest, size);
    position += BLOCK_HEADER_SIZE + (type === RLE_BLOCK ? 1 : size);
    if (position > input.length) return "is cut off in a block";
    if ((header & 1) !== 0) {
      const lastIsEmpty = size === 0 && type !== RLE_BLOCK;
      return { lastAt, end: position, contentMax, largest, lastIsEmpty };
    }
  }
}

/**
 * Finds the frame that starts at `at` and measures it without decoding its blocks. A fault that is
 * visible without decoding is returned as text that continues "the zstd frame".
 */
export function findFrame(input: Uint8Array, at: number): Frame | string {
  const magic = littleEndian(input, at, 4);
  if (magic === undefined) return CUT;
  if (magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16) {
    const length = littleEndian(input, at + 4, 4);
    if (length === undefined) return CUT;
    const size = SKIPPABLE_HEADER_SIZE + length;
    return at + size > input.length ? "is skippable and cut off" : { kind: "skippable", size };
  }
  if (magic !== FRAME_MAGIC) return "does not start with a magic number";

  const header = readHeader(input, at);
  if (typeof header === "string") return header;
  const blocks = walkBlocks(input, at + header.size);
  if (typeof blocks === "string") return blocks;
  const end = blocks.end + (header.checksum ? CHECKSUM_SIZE : 0);
  if (end > input.length) return "is cut off in its checksum";
  return { kind: "content", size: end - at, header, blocks };
}

/** The header of a raw block or of a run of one byte. */
export function blockHeader(
  block: { readonly size: number; readonly run: boolean; readonly last: boolean },
): Uint8Array {
  const value = (block.size << 3) | ((block.run ? RLE_BLOCK : RAW_BLOCK) << 1) |
    (block.last ? 1 : 0);
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, value >> 16);
}

/** The smallest size that two bytes state. */
const SHORT_MIN = 256;

/** Whether a header can state the size of its content in two bytes. */
export function fitsTwoBytes(contentSize: number): boolean {
  return contentSize >= SHORT_MIN && contentSize < SHORT_MIN + 2 ** 16;
}

/** The header of a frame with a window, and with a content size of four bytes, or of two if it is `short`. */
export function frameHeader(
  fields: {
    readonly windowDescriptor: number;
    readonly contentSize?: number | undefined;
    readonly short?: boolean;
    readonly checksum?: boolean;
  },
): Uint8Array {
  const { windowDescriptor, contentSize, short = false, checksum = false } = fields;
  const width = contentSize === undefined ? 0 : short ? 2 : 4;
  const header = new DataView(new ArrayBuffer(6 + width));
  header.setUint32(0, FRAME_MAGIC, true);
  header.setUint8(4, ([0, 0x40, 0x80][width / 2] as number) | (checksum ? 0x04 : 0));
  header.setUint8(5, windowDescriptor);
  if (contentSize !== undefined && short) header.setUint16(6, contentSize - SHORT_MIN, true);
  else if (contentSize !== undefined) header.setUint32(6, contentSize, true);
  return new Uint8Array(header.buffer);
}
