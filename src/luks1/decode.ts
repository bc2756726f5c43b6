import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import { splitMode } from "../crypto/mod.ts";
import { imageText } from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import { header, HEADER_BYTES, keySlot, SLOTS } from "./structures.ts";

/** A key slot as decoded, not judged. Offsets are in sectors of 512 bytes. */
export interface KeySlot {
  /** `slotStates.enabled` or `slotStates.disabled`, or any other number. */
  readonly active: number;
  /** Iterations of PBKDF2 for the passphrase. */
  readonly iterations: number;
  /** Salt of PBKDF2 for the passphrase. */
  readonly salt: Uint8Array;
  /** Start of the key material in sectors. */
  readonly key_material_offset: number;
  /** Number of anti-forensic stripes. */
  readonly stripes: number;
}

/** A header as decoded, not judged. Texts are bytes with a NUL byte at their end. */
export interface Luks1Header {
  /** "LUKS", 0xba and 0xbe in a LUKS volume. */
  readonly magic: Uint8Array;
  /** 1 in a volume of this version. */
  readonly version: number;
  /** Cipher, such as `aes`. */
  readonly cipher_name: Uint8Array;
  /** Mode, IV generator and its hash, such as `cbc-essiv:sha256`. */
  readonly cipher_mode: Uint8Array;
  /** Hash, such as `sha256`. */
  readonly hash_spec: Uint8Array;
  /** Start of the encrypted data in sectors. */
  readonly payload_offset: number;
  /** Length of the master key in bytes. */
  readonly key_bytes: number;
  /** Checksum of the master key from PBKDF2. */
  readonly mk_digest: Uint8Array;
  /** Salt of this checksum. */
  readonly mk_digest_salt: Uint8Array;
  /** Iterations of this checksum. */
  readonly mk_digest_iter: number;
  /** UUID of the volume. */
  readonly uuid: Uint8Array;
  /** All eight of them. */
  readonly slots: readonly KeySlot[];
}

/**
 * Decodes a header from any bytes. Missing bytes read as zeros.
 *
 * @param source starts with the header, followed by the key material
 */
export function decodeLuks1(source: ByteSource): Luks1Header {
  const stored = readUpTo(source, 0, HEADER_BYTES);
  const slots = Array.from(
    { length: SLOTS },
    (_, index) => decode(keySlot, stored, header.size + index * keySlot.size),
  );
  return { ...decode(header, stored), slots };
}

/** The cipher specification in the text fields of a header. */
export interface CipherSpec {
  /** `aes`. */
  readonly cipher: string;
  /** Length of the master key in bytes; in xts mode, of both halves. */
  readonly keyBytes: number;
  /** `cbc`. */
  readonly mode: string;
  /** `essiv`; absent if cipher_mode has no `-`. */
  readonly ivGenerator?: string;
  /** `sha256` in `cbc-essiv:sha256`; absent if there is no `:`. */
  readonly ivHash?: string;
  /** The hash of PBKDF2 and of the anti-forensic splitter. */
  readonly hash: string;
}

/** Parses the text fields of a header, as QEMU and cryptsetup do. Total; names may be unknown. */
export function specOf(header: Luks1Header): CipherSpec {
  return {
    cipher: imageText(header.cipher_name),
    keyBytes: header.key_bytes,
    ...splitMode(imageText(header.cipher_mode)),
    hash: imageText(header.hash_spec),
  };
}

/** The text of cipher_mode; the inverse of {@link specOf}. */
export function modeText(spec: Pick<CipherSpec, "mode" | "ivGenerator" | "ivHash">): string {
  const generator = spec.ivGenerator === undefined ? "" : `-${spec.ivGenerator}`;
  return `${spec.mode}${generator}${spec.ivHash === undefined ? "" : `:${spec.ivHash}`}`;
}
