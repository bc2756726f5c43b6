import { namesOf, type Table, tableOf } from "./table.ts";

/** How the blocks of a sector are chained. */
export type CipherMode = "ecb" | "cbc" | "ctr" | "xts" | "lrw" | "cfb" | "cfb8" | "cfb1" | "ofb";

/** A block cipher, as a LUKS header names it. */
export type CipherName = "aes" | "serpent" | "twofish" | "cast5" | "camellia" | "sm4";

/** What QEMU does with a cipher that a LUKS header names. */
export interface QemuCipher {
  /**
   * Lengths of one key in bytes. The header of a volume in XTS mode has twice as many.
   *
   * A header with another length is rejected (QEMU 10.0, crypto/block-luks.c,
   * `qcrypto_block_luks_cipher_name_map`).
   */
  readonly keyLengths: readonly number[];
  /**
   * The modes in which a QEMU that is built with nettle can unlock a volume. `info` accepts a
   * header with another mode; opening it with a passphrase fails (QEMU 10.0,
   * crypto/cipher-nettle.c.inc, `qcrypto_cipher_ctx_new`).
   */
  readonly modes: readonly CipherMode[];
  /** The first version that knows the cipher; `ctr` mode came with 2.8. */
  readonly since: string;
}

/** The facts of one cipher. */
export interface CipherFacts {
  /** Bytes in a block. */
  readonly blockSize: 8 | 16;
  /** Lengths in bytes of one key. */
  readonly keyLengths: readonly number[];
  /** The modes of {@link cipherModes} that the cipher can be used in. XTS is defined for blocks of 16 bytes only. */
  readonly modes: readonly CipherMode[];
  /** Where the cipher and its test vectors are published. */
  readonly published: string;
  /** `null` when QEMU does not know the cipher. */
  readonly qemu: QemuCipher | null;
}

/**
 * The modes, in the order in which they are printed. LRW is not among them: every cipher with blocks of
 * 16 bytes can be read in it, and new volumes are not created in it.
 */
export const cipherModes: readonly CipherMode[] = Object.freeze(
  ["ecb", "cbc", "ctr", "xts", "cfb", "cfb8", "cfb1", "ofb"],
);

/** The modes that QEMU knows in a header, whatever the cipher (QEMU 10.0, qapi/crypto.json). */
export const qemuModes: readonly CipherMode[] = Object.freeze(["ecb", "cbc", "ctr", "xts"]);

/** Modes of OpenSSL, for the ciphers that it has under the names that headers use. */
const OPENSSL_MODES: readonly CipherMode[] = Object.freeze(["cfb8", "cfb1"]);

/** Bytes of the tweak key of LRW: those of a block. */
export const LRW_TWEAK = 16;

const EITHER = Object.freeze([16, 24, 32]);
const ONLY_16 = Object.freeze([16]);
const ONLY_ECB = Object.freeze(["ecb"] as const);

function without(
  removed: readonly CipherMode[],
  modes: readonly CipherMode[] = cipherModes,
): readonly CipherMode[] {
  return Object.freeze(modes.filter((mode) => !removed.includes(mode)));
}

/** A cipher with blocks of 16 bytes that QEMU has supported since its first version with LUKS. */
function original(published: string, modes = without(OPENSSL_MODES)): CipherFacts {
  return Object.freeze({
    blockSize: 16,
    keyLengths: EITHER,
    modes,
    published,
    qemu: Object.freeze({ keyLengths: EITHER, modes: qemuModes, since: "2.6" }),
  });
}

/** Every cipher that can be used, with its facts. */
export const cipherTable: Table<CipherName, CipherFacts> = tableOf({
  aes: original("FIPS 197", cipherModes),
  serpent: original("Anderson, Biham, Knudsen: Serpent, submission to the AES process, 1998"),
  twofish: original("Schneier et al.: Twofish, submission to the AES process, 1998"),
  cast5: Object.freeze({
    blockSize: 8,
    keyLengths: Object.freeze([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    modes: without(["xts", ...OPENSSL_MODES]),
    published: "RFC 2144",
    qemu: Object.freeze({ keyLengths: ONLY_16, modes: without(["xts"], qemuModes), since: "2.6" }),
  }),
  camellia: Object.freeze({
    blockSize: 16,
    keyLengths: EITHER,
    modes: cipherModes,
    published: "RFC 3713",
    qemu: null,
  }),
  sm4: Object.freeze({
    blockSize: 16,
    keyLengths: ONLY_16,
    modes: without(OPENSSL_MODES),
    published: "GB/T 32907-2016",
    qemu: Object.freeze({ keyLengths: ONLY_16, modes: ONLY_ECB, since: "9.0" }),
  }),
});

/** The names of {@link cipherTable}. */
export const cipherNames: readonly CipherName[] = namesOf<CipherName>(cipherTable);

/** Whether a name, as spelled in a header, is that of a cipher. */
export function isCipherName(name: string): name is CipherName {
  return cipherTable[name] !== undefined;
}

/** Whether a name, as spelled in a header, is that of a mode. */
export function isCipherMode(name: string): name is CipherMode {
  return name === "lrw" || (cipherModes as readonly string[]).includes(name);
}

/**
 * Lengths in bytes of the keys of a cipher in a mode, as a LUKS header counts them: both keys of XTS
 * together, and the tweak key of LRW, of 16 bytes, with the other one. Empty when there is no such cipher, or it has no such mode.
 */
export function volumeKeyLengths(cipher: string, mode: string): readonly number[] {
  const facts = cipherTable[cipher];
  if (facts === undefined || !isCipherMode(mode)) return [];
  if (mode === "lrw") {
    const isWide = facts.blockSize === LRW_TWEAK;
    return isWide ? facts.keyLengths.map((length) => length + LRW_TWEAK) : [];
  }
  if (!facts.modes.includes(mode)) return [];
  return mode === "xts" ? facts.keyLengths.map((length) => 2 * length) : facts.keyLengths;
}
