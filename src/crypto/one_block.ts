import type { CHash } from "@noble/hashes/utils.js";

/** The inside of a Merkle–Damgård hash of the library, which is not part of its types. */
interface BlockHash {
  readonly blockLen: number;
  readonly isLE: boolean;
  get(): number[];
  set(...state: number[]): void;
  process(block: DataView, offset: number): void;
}

/** Replaces bytes by the start of the digest of a number (32 bits, big-endian) and the bytes. */
export type Replace = (number: number, bytes: Uint8Array) => void;

const NUMBER_BYTES = 4;
const WORD = 4;
const END_MARK = 0x80;

/**
 * A hash of a number and at most as many bytes as in a digest, for hashes that take these in one block.
 * It pads the block itself, which leaves out half of what the library does for each digest.
 *
 * @returns `undefined` for a hash that is not like that
 */
export function oneBlockHash(hash: CHash | undefined, digestSize: number): Replace | undefined {
  const inside = hash?.create() as unknown as Partial<BlockHash> | undefined;
  if (inside === undefined || !isBlockHash(inside)) return undefined;
  const { blockLen, isLE } = inside;
  // The length is stored in an eighth of a block.
  if (NUMBER_BYTES + digestSize + 1 + blockLen / 8 > blockLen) return undefined;
  const start = inside.get();
  const block = new Uint8Array(blockLen);
  const view = new DataView(block.buffer);
  const stored = new Uint8Array(start.length * WORD);
  const digest = new DataView(stored.buffer);
  return (number, bytes) => {
    const end = NUMBER_BYTES + bytes.length;
    view.setUint32(0, number);
    block.set(bytes, NUMBER_BYTES);
    block.fill(0, end);
    block[end] = END_MARK;
    view.setUint32(isLE ? blockLen - 2 * WORD : blockLen - WORD, 8 * end, isLE);
    inside.set(...start);
    inside.process(view, 0);
    const words = inside.get();
    const { length } = bytes;
    for (let at = 0; at < length; at += WORD) digest.setUint32(at, words[at >> 2] as number, isLE);
    for (let at = 0; at < length; at++) bytes[at] = stored[at] as number;
  };
}

function isBlockHash(inside: Partial<BlockHash>): inside is BlockHash {
  const { blockLen, isLE, get, set, process } = inside;
  return typeof blockLen === "number" && typeof isLE === "boolean" &&
    [get, set, process].every((member) => typeof member === "function");
}
