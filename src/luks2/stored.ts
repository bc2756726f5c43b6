import type { CipherUse } from "./cipher.ts";
import type { Digest } from "./keyslots/keyslots.ts";
import type { Segment } from "./segments/segments.ts";

/** How bytes are encrypted, and with which key. */
export interface Encryption {
  readonly use: CipherUse;
  /** The digest of the key. */
  readonly digest: Digest;
}

/** Where bytes of the content are stored, and how. */
export interface Stored {
  /** The file that holds the payload, or the one with the header. */
  readonly file: "payload" | "header";
  /** Start in bytes. */
  readonly offset: number;
  /** Absent where the bytes are stored as they are. */
  readonly encryption?: Encryption;
  /** Number of the first sector, by 512 bytes. */
  readonly ivTweak: bigint;
  /** Present where some blocks are encrypted in another way. */
  readonly blocks?: OldBlocks;
}

/**
 * Blocks of which some are still as they were before a reencryption: those whose digest is the one that
 * was taken then. What is behind the last whole block is not.
 */
export interface OldBlocks {
  readonly hash: string;
  /** Bytes of a block, whole sectors of either encryption. */
  readonly size: number;
  /** How many whole ones there are. */
  readonly count: number;
  /** Where the digests are, one behind the other, in bytes of the file with the header. */
  readonly digests: number;
  /** How a block that is still as it was is encrypted; absent where it is not. */
  readonly encryption?: Encryption;
}

/** The ways in which the bytes at a place can be encrypted. */
export function encryptionsOf({ encryption, blocks }: Stored): Encryption[] {
  return [encryption, blocks?.encryption].filter((found) => found !== undefined);
}

/** Ciphers that leave bytes as they are, as cryptsetup names them. */
const NO_CIPHER: readonly string[] = ["cipher_null-ecb", "cipher_null", "null"];

/** How the bytes of a segment are encrypted; `undefined` where they are not. */
export function encryptionOf(
  segment: Segment,
  digest: Digest | undefined,
): Encryption | undefined {
  if (segment.type !== "crypt" || digest === undefined) return undefined;
  if (NO_CIPHER.includes(segment.encryption)) return undefined;
  const { encryption, sectorSize } = segment;
  return { use: { encryption, sectorSize }, digest };
}
