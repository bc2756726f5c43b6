import { deflateSync, gzipSync } from "node:zlib";
import { deflateCluster, type DeflateOptions } from "../../src/codec/mod.ts";
import { concat, damage, type Random } from "./random.ts";

/** Bits from the least significant one up, as deflate packs them (RFC 1951, 3.1.1). */
export class BitWriter {
  readonly #bytes: number[] = [];
  #used = 8;

  /** Number fields: lowest bit first. */
  number(value: number, width: number): this {
    for (let i = 0; i < width; i++) this.bit((value >> i) & 1);
    return this;
  }

  /** Huffman codes: highest bit first. */
  code(value: number, width: number): this {
    for (let i = width - 1; i >= 0; i--) this.bit((value >> i) & 1);
    return this;
  }

  bit(bit: number): void {
    if (this.#used === 8) {
      this.#bytes.push(0);
      this.#used = 0;
    }
    const last = this.#bytes.length - 1;
    this.#bytes[last] = (this.#bytes[last] ?? 0) | (bit << this.#used++);
  }

  /** Goes on at a byte boundary with whole bytes. */
  raw(bytes: Iterable<number>): this {
    this.#bytes.push(...bytes);
    this.#used = 8;
    return this;
  }

  /** Goes on where the last bit was with the bits of a stream. */
  append(bytes: Uint8Array): this {
    for (const byte of bytes) this.number(byte, 8);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** A symbol in the fixed literal/length code (RFC 1951, 3.2.6). */
export function fixedSymbol(bits: BitWriter, symbol: number): BitWriter {
  if (symbol < 144) return bits.code(0x30 + symbol, 8);
  if (symbol < 256) return bits.code(0x190 + symbol - 144, 9);
  if (symbol < 280) return bits.code(symbol - 256, 7);
  return bits.code(0xc0 + symbol - 280, 8);
}

/** The header of a block: 0 stored, 1 fixed, 2 dynamic, 3 reserved. */
export function blockStart(bits: BitWriter, type: number, final = false): BitWriter {
  return bits.number(final ? 1 : 0, 1).number(type, 2);
}

/** A stored block, whose length check fails if `sound` is not set. */
export function storedBlock(
  bits: BitWriter,
  content: Uint8Array,
  options: { final?: boolean; sound?: boolean } = {},
): BitWriter {
  const { final = false, sound = true } = options;
  blockStart(bits, 0, final);
  const { length } = content;
  const check = sound ? ~length : length;
  return bits.raw([length & 0xff, length >> 8, check & 0xff, (check >> 8) & 0xff, ...content]);
}

/** Symbols of a fixed block that put out `length` bytes, matches of length 3 to 10 among them. */
function fixedContent(random: Random, bits: BitWriter, length: number): void {
  for (let made = 0; made < length;) {
    const missing = length - made;
    if (made > 0 && missing > 10 && !random.oneIn(3)) {
      const matched = 3 + random.below(8);
      fixedSymbol(bits, 254 + matched);
      fixedDistance(random, bits, made);
      made += matched;
    } else {
      fixedSymbol(bits, random.below(256));
      made++;
    }
  }
}

/** The code of a distance that reaches back at most `reach` bytes, and once in a while too far. */
function fixedDistance(random: Random, bits: BitWriter, reach: number): void {
  if (random.oneIn(2000)) {
    bits.code(random.below(32), 5).number(random.next(), 13);
    return;
  }
  if (reach < 5) {
    bits.code(random.below(reach), 5);
    return;
  }
  // Distance codes in pairs: 2 * k + 2 and 2 * k + 3 carry k extra bits.
  const extra = random.below(Math.floor(Math.log2(reach)));
  const base = extra === 0 ? 3 : 1 + 2 ** (extra + 1);
  if (extra === 0 || base + 2 ** extra > reach) bits.code(random.below(4), 5);
  else bits.code(2 * extra + 2, 5).number(random.next(), extra);
}

/** What follows the last byte of a cluster: the part that QEMU's decoder is peculiar about. */
function tail(random: Random, bits: BitWriter): void {
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) {
    const final = random.oneIn(4);
    const kind = random.below(9);
    if (kind === 0) storedBlock(bits, new Uint8Array(0), { final });
    else if (kind === 1) storedBlock(bits, random.bytes(random.below(3)), { final });
    else if (kind === 2) storedBlock(bits, new Uint8Array(0), { final, sound: false });
    else if (kind === 3) fixedSymbol(blockStart(bits, 1, final), 256);
    else if (kind === 4) fixedSymbol(blockStart(bits, 1, final), random.below(288));
    else if (kind === 5) {
      fixedSymbol(blockStart(bits, 1, final), 257 + random.below(8)).number(random.next(), 5);
    } else if (kind === 6) blockStart(bits, 2, final).append(random.bytes(1 + random.below(30)));
    else if (kind === 7) blockStart(bits, 3, final);
    else bits.append(deflateCluster(random.content(random.below(600)), { level: 9 }));
  }
}

/** Blocks written by hand that fill a cluster exactly, or nearly, and go on. */
function handWritten(random: Random, clusterSize: number): Uint8Array {
  const bits = new BitWriter();
  const length = random.oneIn(4) ? lengthNear(random, clusterSize) : clusterSize;
  for (let made = 0; made < length;) {
    const size = Math.min(length - made, 1 + random.below(clusterSize));
    const last = made + size === length;
    if (random.oneIn(3)) {
      storedBlock(bits, random.content(size), { final: last && random.oneIn(3) });
    } else {
      blockStart(bits, 1, last && random.oneIn(3));
      fixedContent(random, bits, size);
      // Without the end-of-block code what follows is read in the fixed code.
      if (!last || !random.oneIn(6)) fixedSymbol(bits, 256);
    }
    made += size;
  }
  if (!random.oneIn(6)) tail(random, bits);
  return bits.done();
}

/** A length about that of a cluster, or any. */
export function lengthNear(random: Random, clusterSize: number): number {
  const kind = random.below(10);
  if (kind < 5) return clusterSize;
  if (kind === 5) return clusterSize - 1 - random.below(3);
  if (kind === 6) return clusterSize + 1 + random.below(3);
  if (kind === 7) return clusterSize + random.below(clusterSize);
  return random.below(clusterSize);
}

function options(random: Random): DeflateOptions {
  return {
    level: random.pick([-1, 0, 1, 6, 9] as const),
    windowBits: random.pick([9, 10, 12, 12, 15] as const),
    memLevel: random.pick([1, 8, 9, 9] as const),
    strategy: random.pick(["default", "default", "fixed", "huffman-only", "rle"] as const),
    finish: !random.oneIn(4),
  };
}

function byZlib(random: Random, clusterSize: number): Uint8Array {
  const content = random.content(lengthNear(random, clusterSize));
  const kind = random.below(20);
  if (kind === 0) return deflateSync(content);
  if (kind === 1) return gzipSync(content);
  if (kind > 12) {
    const cut = random.below(content.length);
    return concat(
      deflateCluster(content.subarray(0, cut), { ...options(random), finish: false }),
      deflateCluster(content.subarray(cut), options(random)),
    );
  }
  return deflateCluster(content, options(random));
}

/** A raw deflate stream for a cluster of that size: valid, unusual or damaged. */
export function deflateStream(random: Random, clusterSize: number): Uint8Array {
  const stream = random.oneIn(2) ? byZlib(random, clusterSize) : handWritten(random, clusterSize);
  let damaged = random.oneIn(3) ? damage(random, stream) : stream;
  if (random.oneIn(5)) damaged = damage(random, damaged);
  return damaged;
}
