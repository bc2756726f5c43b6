/** A block cipher under one key. */
export interface BlockCipher {
  /** Bytes in a block. */
  readonly blockSize: number;
  /** Encrypts each block in place, independently of the others (ECB). */
  encryptBlocks(bytes: Uint8Array): void;
  /** Decrypts each block in place, independently of the others (ECB). */
  decryptBlocks(bytes: Uint8Array): void;
}
