import type { CipherUse } from "../encryption.ts";
import type { Digest, Segment } from "../json/description.ts";

/** A segment with its key. */
export interface KeyedSegment {
  readonly segment: Segment;
  /** The digest of the key; `undefined` where the segment has none. */
  readonly digest: Digest | undefined;
}

/** How bytes are encrypted, and with which key. */
export interface Encryption {
  readonly use: CipherUse;
  /** The digest of the key. */
  readonly digest: Digest;
}

/** Where bytes of the content are stored, and how. */
export interface Location {
  /** The file that holds the payload, or the one with the header. */
  readonly file: "payload" | "header";
  /** Start in bytes. */
  readonly offset: number;
  /** `undefined` where the bytes are stored as they are. */
  readonly encryption: Encryption | undefined;
  /** Number of the first sector, in units of 512 bytes. */
  readonly ivTweak: bigint;
  /** Present where some blocks are encrypted in another way. */
  readonly blocks?: OldBlocks;
}

/**
 * Blocks of which some are still as they were before a reencryption: those that have the digest stored
 * then. The bytes after the last whole block are not.
 */
export interface OldBlocks {
  readonly hash: string;
  /** Bytes of a block, whole sectors of either encryption. */
  readonly size: number;
  /** How many whole blocks there are. */
  readonly count: number;
  /** Where the digests start, one after the other, in bytes of the file with the header. */
  readonly digests: number;
  /** How a block that is still as it was is encrypted; `undefined` where it is not. */
  readonly encryption: Encryption | undefined;
}

/** The ways in which the bytes at a place can be encrypted. */
export function encryptionsOf({ encryption, blocks }: Location): Encryption[] {
  return [encryption, blocks?.encryption].filter((found) => found !== undefined);
}

/** Ciphers that leave bytes as they are, as cryptsetup names them. */
const NO_CIPHER: readonly string[] = ["cipher_null-ecb", "cipher_null", "null"];

/** How the bytes of a segment are encrypted; `undefined` where they are not. */
export function encryptionOf({ segment, digest }: KeyedSegment): Encryption | undefined {
  const { type, encryption, sector_size: sectorSize } = segment;
  if (type !== "crypt" || digest === undefined || NO_CIPHER.includes(encryption)) return undefined;
  return { use: { encryption, sectorSize }, digest };
}
