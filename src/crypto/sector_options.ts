/**
 * How the sectors of a volume are encrypted, in the names of a LUKS header: those of the tables, or
 * others that `canonicalNames` has them for.
 */
export interface SectorCipherOptions {
  /** One of `cipherTable`. */
  readonly cipher: string;
  /** One of `cipherModes`. */
  readonly mode: string;
  /**
   * One of `ivTable`; not looked at in `ecb` mode, which has no vectors. A header in that mode names
   * none if it is to be used by cryptsetup (lib/crypto_backend/crypto_storage.c,
   * `crypt_sector_iv_init`), and one if by QEMU (crypto/block-luks.c,
   * `qcrypto_block_luks_parse_header`).
   */
  readonly ivGenerator: string;
  /** One that `essivHash` has; not looked at unless the generator takes a hash. */
  readonly ivHash?: string | undefined;
  /** Bytes in a sector: 512, which is the default, 1024, 2048 or 4096. */
  readonly sectorSize?: number | undefined;
}
