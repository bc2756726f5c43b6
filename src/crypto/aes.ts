import type { Cipheriv } from "node:crypto";
import { builtin } from "../bytes/mod.ts";
import type { BlockCipher } from "./block.ts";

/** AES (FIPS 197) of the platform under a key of 16, 24 or 32 bytes. */
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
 * Each call has a cipher of its own, which it ends: Deno keeps for ever what is not ended. Setting one
 * up takes a few microseconds, about as long as the call does for a sector.
 */
function transform(cipher: Cipheriv, bytes: Uint8Array): void {
  cipher.setAutoPadding(false);
  bytes.set(cipher.update(bytes));
  cipher.final();
}
