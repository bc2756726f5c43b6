/**
 * How the sectors of a volume are encrypted, with the names in a LUKS header: those of the tables,
 * or others that `canonicalNames` accepts.
 */
export interface SectorCipherOptions {
  /** One of `cipherTable`. */
  readonly cipher: string;
  /** One of `cipherModes`. */
  readonly mode: string;
  /**
   * One of `ivTable`; ignored in `ecb` mode, which has no vectors. A header in that mode has none
   * for cryptsetup (lib/crypto_backend/crypto_storage.c, `crypt_sector_iv_init`), and one for QEMU
   * (crypto/block-luks.c, `qcrypto_block_luks_parse_header`).
   */
  readonly ivGenerator: string;
  /** One of `essivHash`; ignored unless the generator uses a hash. */
  readonly ivHash?: string | undefined;
  /** Bytes in a sector: 512, which is the default, 1024, 2048 or 4096. */
  readonly sectorSize?: number | undefined;
}
