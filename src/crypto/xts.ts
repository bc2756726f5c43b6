import type { BlockCipher } from "./block.ts";
import { type Mode, scratchWords, type Sectors, xorWords } from "./modes.ts";
import { loadWords, reorder, wordsOf } from "./words.ts";

/**
 * XTS (IEEE Std 1619-2007) on sectors of whole blocks, so that ciphertext stealing is never needed.
 *
 * The vector of a sector is the tweak. All tweaks are encrypted in one call, and all blocks in
 * another.
 */
export function xts(ciphers: { data: BlockCipher; tweak: BlockCipher }): Mode {
  const { data, tweak } = ciphers;
  const apply = (sectors: Sectors, transform: (bytes: Uint8Array) => void) => {
    const { bytes, ivs, sectorSize } = sectors;
    tweak.encryptBlocks(ivs);
    const masks = masksOf(ivs, { sectors: bytes.length / sectorSize, sectorWords: sectorSize / 4 });
    const words = wordsOf(bytes);
    xorWords(words, masks);
    transform(bytes);
    xorWords(words, masks);
  };
  return {
    encrypt: (sectors) => apply(sectors, (bytes) => data.encryptBlocks(bytes)),
    decrypt: (sectors) => apply(sectors, (bytes) => data.decryptBlocks(bytes)),
  };
}

/**
 * The mask that is added to every block before and after the cipher: the encrypted tweak of its
 * sector times alpha to the power of the block's number in the sector (section 5.2).
 */
function masksOf(
  tweaks: Uint8Array,
  { sectors, sectorWords }: { sectors: number; sectorWords: number },
): Int32Array {
  const starts = new Int32Array(4 * sectors);
  loadWords(tweaks, starts, { bigEndian: false });
  const masks = scratchWords(sectors * sectorWords);
  for (let sector = 0, at = 0; sector < sectors; sector++) {
    let a = starts[4 * sector]!;
    let b = starts[4 * sector + 1]!;
    let c = starts[4 * sector + 2]!;
    let d = starts[4 * sector + 3]!;
    for (const end = at + sectorWords; at < end; at += 4) {
      masks[at] = a;
      masks[at + 1] = b;
      masks[at + 2] = c;
      masks[at + 3] = d;
      // Times alpha in GF(2^128): x^128 is x^7 + x^2 + x + 1.
      const carry = d >> 31;
      d = (d << 1) | (c >>> 31);
      c = (c << 1) | (b >>> 31);
      b = (b << 1) | (a >>> 31);
      a = (a << 1) ^ (carry & 0x87);
    }
  }
  reorder(masks, { bigEndian: false });
  return masks;
}
