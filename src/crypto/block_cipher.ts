import { aes } from "./aes.ts";
import type { BlockCipher } from "./block.ts";
import { camellia } from "./camellia.ts";
import { cast5 } from "./cast5.ts";
import { type CipherName, cipherTable, isCipherName } from "./ciphers.ts";
import { serpent } from "./serpent.ts";
import { sm4 } from "./sm4.ts";
import { twofish } from "./twofish.ts";

const IMPLEMENTATIONS: Readonly<Record<CipherName, (key: Uint8Array) => BlockCipher>> = {
  aes,
  serpent,
  twofish,
  cast5,
  camellia,
  sm4,
};

/**
 * A block cipher under a key, which is copied.
 *
 * The methods of the result throw a RangeError when the bytes are not whole blocks.
 *
 * @param name one of `cipherTable`
 * @throws {RangeError} when there is no such cipher, or it has no keys of that length
 *
 * @example
 * ```ts
 * import { blockCipher } from "./mod.ts";
 *
 * const blocks = new Uint8Array(64);
 * blockCipher("twofish", new Uint8Array(32)).encryptBlocks(blocks);
 * ```
 */
export function blockCipher(name: string, key: Uint8Array): BlockCipher {
  if (!isCipherName(name)) throw new RangeError(`Cannot use the cipher ${name}: it is not known`);
  const { keyLengths, blockSize } = cipherTable[name];
  if (!keyLengths.includes(key.length)) {
    throw new RangeError(
      `Cannot use ${name}: a key of ${key.length} bytes is not one of ${keyLengths.join(", ")}`,
    );
  }
  const cipher = IMPLEMENTATIONS[name](key.slice());
  const assertWhole = (bytes: Uint8Array) => {
    if (bytes.length % blockSize === 0) return;
    throw new RangeError(
      `Cannot use ${name}: ${bytes.length} bytes are not whole blocks of ${blockSize}`,
    );
  };
  return {
    blockSize,
    encryptBlocks: (bytes) => {
      assertWhole(bytes);
      cipher.encryptBlocks(bytes);
    },
    decryptBlocks: (bytes) => {
      assertWhole(bytes);
      cipher.decryptBlocks(bytes);
    },
  };
}
