import type { Cipheriv } from "node:crypto";
import { builtin } from "../bytes/mod.ts";
import type { BlockCipher } from "./block.ts";

/** The platform's AES (FIPS 197) under a key of 16, 24 or 32 bytes. */
export function aes(key: Uint8Array): BlockCipher {
  const name = `aes-${key.length * 8}-ecb`;
  return {
    blockSize: 16,
    encryptBlocks: (bytes) =>
      transform(builtin("node:crypto").createCipheriv(name, key, null), bytes),
    decryptBlocks: (bytes) =>
      transform(builtin("node:crypto").createDecipheriv(name, key, null), bytes),
  };
}

/**
 * Each call creates a cipher and ends it, because Deno never frees one that is not ended. Creating
 * one takes a few microseconds, about as long as encrypting a sector.
 */
function transform(cipher: Cipheriv, bytes: Uint8Array): void {
  cipher.setAutoPadding(false);
  bytes.set(cipher.update(bytes));
  cipher.final();
}
