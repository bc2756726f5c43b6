import { zstdCluster, type ZstdOptions, type ZstdPart } from "../../src/codec/mod.ts";
import { lengthNear } from "./deflate_streams.ts";
import { concat, damage, type Random } from "./random.ts";

/** A number in little-endian bytes. */
function littleEndian(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256);
}

/** A block of a Zstandard frame (RFC 8878, 3.1.1.2). */
export interface Block {
  /** 0 raw, 1 a run, 2 compressed, 3 reserved. */
  readonly type: number;
  /** The size field: the bytes of content, or of a compressed block those that follow. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** What a frame written by hand has in its header (RFC 8878, 3.1.1.1). */
export interface HandFrame {
  /** The byte after the magic number; its flags say which of the fields are written. */
  readonly descriptor: number;
  readonly window?: number;
  readonly dictionaryId?: number;
  readonly contentSize?: number;
  readonly blocks: readonly Block[];
  /** What follows the last block. */
  readonly checksum?: Uint8Array;
}

/** The bytes of a frame, as its descriptor has them. */
export function handFrame(frame: HandFrame): Uint8Array {
  const { descriptor, window = 0x38, dictionaryId = 0, contentSize = 0, blocks } = frame;
  const single = (descriptor & 0x20) !== 0;
  const contentWidth = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const header = [
    ...[0x28, 0xb5, 0x2f, 0xfd, descriptor],
    ...(single ? [] : [window]),
    ...littleEndian(dictionaryId, [0, 1, 2, 4][descriptor & 3] ?? 0),
    ...littleEndian(contentWidth === 2 ? contentSize - 256 : contentSize, contentWidth),
  ];
  const body = blocks.flatMap(({ type, size, bytes }, index) => [
    Uint8Array.from(littleEndian((size << 3) | (type << 1) | +(index === blocks.length - 1), 3)),
    bytes,
  ]);
  return concat(Uint8Array.from(header), ...body, frame.checksum ?? new Uint8Array(0));
}

/** A frame to be skipped. */
export function skippableFrame(content: Uint8Array, variant = 0): Uint8Array {
  const header = [0x50 + variant, 0x2a, 0x4d, 0x18, ...littleEndian(content.length, 4)];
  return concat(Uint8Array.from(header), content);
}

/**
 * Whose judgement of malformed blocks a stream may depend on. Before 1.5.6, libzstd let blocks pass
 * that have more content than the window allows, and some corruption within compressed blocks.
 * `any` keeps to what every version judges alike.
 */
export type Libzstd = "any" | "recent";

/** Who makes the random streams, and for whom. */
interface Maker {
  readonly random: Random;
  readonly libzstd: Libzstd;
}

/** A block of some content: raw, a run in its place, reserved, or compressed by libzstd. */
function blockOf(random: Random, content: Uint8Array): Block {
  const kind = random.below(100);
  if (kind === 0) return { type: 3, size: content.length, bytes: content };
  if (kind < 25) return { type: 1, size: content.length, bytes: random.bytes(1) };
  if (kind < 60 || content.length === 0) return { type: 0, size: content.length, bytes: content };
  // A frame without a content size has 6 bytes of header and one block if the content fits it.
  const made = zstdCluster(content, { contentSize: false });
  const type = ((made[6] ?? 0) >> 1) & 3;
  const size = ((made[6] ?? 0) >> 3) | ((made[7] ?? 0) << 5) | ((made[8] ?? 0) << 13);
  return { type, size, bytes: made.subarray(9, 9 + (type === 1 ? 1 : size)) };
}

function descriptorFor(random: Random, contentSize: number): number {
  const width = random.pick(contentSize < 256 ? [0, 2, 3] : [0, 1, 2, 3]);
  const single = random.oneIn(2) ? 0x20 : 0;
  const odd = random.oneIn(20) ? random.pick([0x08, 0x10]) : 0;
  const dictionary = random.oneIn(15) ? random.below(4) : 0;
  return (width << 6) | single | odd | (random.oneIn(12) ? 0x04 : 0) | dictionary;
}

function contentSizeFor(random: Random, length: number): number {
  if (!random.oneIn(12)) return length;
  return random.pick([
    length - 1,
    length + 1,
    256 + random.below(70000),
    2 ** 64 - 2 ** 11,
    2 ** 63,
  ]);
}

/** The byte of a window: of one that is large enough for any block, or of any. */
function windowFor(maker: Maker, blocks: readonly Block[]): number {
  const { random, libzstd } = maker;
  if (libzstd === "any" && blocks.some(({ type }) => type === 2)) {
    return random.pick([0x38, 0x38, 0x39, 0x40, 0x41, 0x50, 0x58, 0x88, 0x88, 0x89, 0xaf, 0xb0]);
  }
  return random.oneIn(8) ? random.below(256) : random.pick([0, 0x38, 0x40, 0x58, 0x88, 0x89]);
}

/** A frame with raw blocks, runs and compressed blocks, under a header that may lie. */
function byHand(maker: Maker, length: number): Uint8Array {
  const { random } = maker;
  const blocks: Block[] = [];
  for (let made = 0; made < length;) {
    const size = Math.min(length - made, random.pick([1, 400, 1024, 3000, 65536, 131072]));
    if (random.oneIn(10)) blocks.push(blockOf(random, new Uint8Array(0)));
    blocks.push(blockOf(random, random.content(size)));
    made += size;
  }
  if (blocks.length === 0 || random.oneIn(5)) blocks.push(blockOf(random, new Uint8Array(0)));
  const descriptor = descriptorFor(random, length);
  const frame = handFrame({
    descriptor,
    window: windowFor(maker, blocks),
    dictionaryId: random.oneIn(3) ? random.below(256) : 0,
    contentSize: contentSizeFor(random, length),
    blocks,
    checksum: random.bytes((descriptor & 4) !== 0 && !random.oneIn(3) ? 4 : 0),
  });
  // All ones stand for an unknown size in libzstd.
  if (descriptor >> 6 === 3 && random.oneIn(3)) {
    const at = 5 + ((descriptor & 0x20) !== 0 ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
    frame.fill(0xff, at, at + 8);
  }
  return frame;
}

function parts(random: Random, length: number): ZstdPart[] {
  return Array.from(
    { length: random.below(4) },
    () =>
      random.oneIn(2)
        ? { kind: "skippable", length: random.below(20), variant: random.below(16) }
        : { kind: "content", length: random.oneIn(4) ? 0 : random.below(length) },
  );
}

function byLibzstd(random: Random, length: number): Uint8Array {
  const options: ZstdOptions = {
    level: random.pick([-7, -1, 1, 3, 3, 3, 9, 19]),
    checksum: random.oneIn(3),
    contentSize: !random.oneIn(3),
    ...(random.oneIn(3) ? { windowLog: random.pick([10, 11, 12, 17, 21, 27]) } : {}),
    ...(random.oneIn(3) ? { parts: parts(random, length) } : {}),
  };
  return zstdCluster(random.content(length), options);
}

/** A frame with nothing compressed, which may be damaged without asking for a version's opinion. */
function stored(random: Random, length: number): Uint8Array {
  return zstdCluster(random.content(length), {
    stored: true,
    contentSize: !random.oneIn(3),
    windowLog: random.pick([10, 12, 17, 17, 17, 20, 21, 27, 28, 31, 32]),
    ...(random.oneIn(3) ? { parts: parts(random, length) } : {}),
  });
}

/** What is between two frames. */
function gap(maker: Maker): Uint8Array {
  const { random } = maker;
  const kind = random.below(6);
  if (kind < 3) return new Uint8Array(0);
  if (kind === 3) return new Uint8Array(1 + random.below(12));
  if (kind === 4) return skippableFrame(random.bytes(random.below(12)), random.below(16));
  return random.pick([byHand(maker, 0), byLibzstd(random, 0), random.bytes(4)]);
}

/** Cuts something off the end, or adds to it. */
function changeEnd(random: Random, stream: Uint8Array): Uint8Array {
  const kind = random.below(3);
  if (kind === 0) return stream.slice(0, Math.max(0, stream.length - 1 - random.below(10)));
  if (kind === 1) return stream.slice(0, random.below(stream.length));
  return concat(stream, random.oneIn(2) ? random.bytes(random.below(40)) : new Uint8Array(40));
}

/** Zstandard frames for a cluster of that size: valid, unusual or damaged. */
export function zstdStream(
  random: Random,
  clusterSize: number,
  libzstd: Libzstd = "any",
): Uint8Array {
  const maker = { random, libzstd };
  const plain = random.oneIn(3);
  const frameOf = (length: number): Uint8Array => {
    if (plain) return stored(random, length);
    return random.oneIn(2) ? byHand(maker, length) : byLibzstd(random, length);
  };
  const length = lengthNear(random, clusterSize);
  const cut = random.oneIn(3) ? random.below(length + 1) : length;
  const frames = [
    ...(random.oneIn(6) && !plain ? [gap(maker)] : []),
    frameOf(cut),
    ...(cut < length ? [plain ? new Uint8Array(0) : gap(maker), frameOf(length - cut)] : []),
  ];
  let stream = concat(...frames);
  const spoil = plain || libzstd === "recent" ? damage : changeEnd;
  for (let rounds = random.pick([0, 0, 0, 0, 1, 2]); rounds > 0; rounds--) {
    stream = spoil(random, stream);
  }
  return stream;
}
