import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import { splitMode } from "../crypto/mod.ts";
import { imageText } from "../format/mod.ts";
import { decode, type Decoded } from "../layout/mod.ts";
import { header, HEADER_BYTES, keySlot, SLOTS } from "./structures.ts";

/** A key slot as decoded. */
export type KeySlot = Decoded<typeof keySlot>;

/** A header as decoded, not judged. */
export interface Luks1Header extends Decoded<typeof header> {
  /** All eight of them. */
  readonly slots: readonly KeySlot[];
}

/**
 * Decodes the header of any bytes. What they lack reads as zeros.
 *
 * @param source starts with the header, and holds the key material behind it
 */
export function decodeLuks1(source: ByteSource): Luks1Header {
  const stored = readUpTo(source, 0, HEADER_BYTES);
  const slots = Array.from(
    { length: SLOTS },
    (_, index) => decode(keySlot, stored, header.size + index * keySlot.size),
  );
  return { ...decode(header, stored), slots };
}

/** What the three text fields of a header come to. */
export interface CipherSpec {
  /** `aes`. */
  readonly cipher: string;
  /** Length of the master key in bytes; of both of its halves in mode xts. */
  readonly keyBytes: number;
  /** `cbc`. */
  readonly mode: string;
  /** `essiv`; absent where cipher_mode has no `-`. */
  readonly ivGenerator?: string;
  /** `sha256` of `cbc-essiv:sha256`; absent where there is no `:`. */
  readonly ivHash?: string;
  /** The hash of PBKDF2 and of the anti-forensic splitter. */
  readonly hash: string;
}

/** Takes the text fields of a header apart, as QEMU and cryptsetup do. Total; names may be unknown. */
export function specOf(header: Luks1Header): CipherSpec {
  return {
    cipher: imageText(header.cipher_name),
    keyBytes: header.key_bytes,
    ...splitMode(imageText(header.cipher_mode)),
    hash: imageText(header.hash_spec),
  };
}

/** The text of cipher_mode; the inverse of what {@link specOf} does. */
export function modeText(spec: Pick<CipherSpec, "mode" | "ivGenerator" | "ivHash">): string {
  const generator = spec.ivGenerator === undefined ? "" : `-${spec.ivGenerator}`;
  return `${spec.mode}${generator}${spec.ivHash === undefined ? "" : `:${spec.ivHash}`}`;
}
