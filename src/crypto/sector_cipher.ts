import { ADIANTUM, adiantumSectors } from "./adiantum.ts";
import type { BlockCipher } from "./block.ts";
import { blockCipher } from "./block_cipher.ts";
import { type CipherMode, type CipherName, cipherTable, LRW_TWEAK } from "./ciphers.ts";
import { cfb, cfb1, cfb8, ofb } from "./feedback.ts";
import { type IvOptions, ivSource, SECTOR_UNIT } from "./iv.ts";
import { lrw } from "./lrw.ts";
import { cbc, ctr, ecb, type Mode } from "./modes.ts";
import { canonicalNames } from "./spelling.ts";
import type { SectorCipherOptions } from "./sector_options.ts";
import { reasonUnusable } from "./usable.ts";
import { xts } from "./xts.ts";

/** The encryption of whole sectors under one key. */
export interface SectorCipher {
  /** Bytes in a sector. */
  readonly sectorSize: number;
  /** Decrypts consecutive sectors in place. `firstSector` is the number of the first. */
  decrypt(bytes: Uint8Array, firstSector: bigint): void;
  /** Encrypts consecutive sectors in place. `firstSector` is the number of the first. */
  encrypt(bytes: Uint8Array, firstSector: bigint): void;
}

/** Bytes transformed at a time. This much memory is needed in addition. */
const BATCH = 256 * 1024;

/**
 * The cipher of a volume under its key, as dm-crypt and QEMU have it.
 *
 * A sector's number counts units of 512 bytes whatever the size of a sector, as in LUKS2: the
 * numbers of consecutive sectors of 4096 bytes differ by eight. Numbers are modulo 2^64. The key of
 * `xts` is the key for the data followed by the key for the tweaks, which has the same length, and that
 * of `lrw` is followed by a tweak key of one block; `essiv` hashes both.
 *
 * The methods of the result throw a RangeError when the bytes are not whole sectors.
 *
 * @throws {RangeError} with the message of {@link reasonUnusable}
 *
 * @example
 * ```ts
 * import { sectorCipher } from "./mod.ts";
 *
 * const volumeKey = new Uint8Array(64);
 * const volume = sectorCipher(
 *   { cipher: "aes", mode: "xts", ivGenerator: "plain64" },
 *   volumeKey,
 * );
 * const sectors = new Uint8Array(8 * 512);
 * volume.encrypt(sectors, 2056n);
 * volume.decrypt(sectors, 2056n);
 * ```
 */
export function sectorCipher(options: SectorCipherOptions, key: Uint8Array): SectorCipher {
  const reason = reasonUnusable(options, key.length);
  if (reason !== undefined) throw new RangeError(reason);
  const { sectorSize = SECTOR_UNIT } = options;
  if (options.mode === ADIANTUM.mode) {
    const wide = adiantumSectors({ ...options, sectorSize }, key);
    const by = (direction: keyof Mode) => (bytes: Uint8Array, firstSector: bigint) => {
      mustBeWhole(bytes, { direction, sectorSize });
      wide(direction, bytes, firstSector);
    };
    return { sectorSize, decrypt: by("decrypt"), encrypt: by("encrypt") };
  }
  const { cipher, mode, ivGenerator, ivHash } = canonicalNames(options) as Usable;
  const chained = modeOf({ cipher, mode }, key);
  const fillIvs = mode === "ecb"
    ? undefined
    : ivSource({ cipher, ivGenerator, ivHash, sectorSize }, key);
  const { blockSize } = cipherTable[cipher];

  const transform = (direction: keyof Mode) => (bytes: Uint8Array, firstSector: bigint) => {
    mustBeWhole(bytes, { direction, sectorSize });
    const batches = Math.min(BATCH, bytes.length) / sectorSize;
    const ivs = new Uint8Array(batches * blockSize);
    for (let at = 0; at < bytes.length; at += BATCH) {
      const batch = bytes.subarray(at, at + BATCH);
      const batchIvs = ivs.subarray(0, (batch.length / sectorSize) * blockSize);
      fillIvs?.(batchIvs, firstSector + BigInt(at / SECTOR_UNIT));
      onAligned(
        batch,
        (aligned) => chained[direction]({ bytes: aligned, sectorSize, ivs: batchIvs }),
      );
    }
  };
  return { sectorSize, decrypt: transform("decrypt"), encrypt: transform("encrypt") };
}

function mustBeWhole(
  { length }: Uint8Array,
  { direction, sectorSize }: { direction: string; sectorSize: number },
): void {
  if (length % sectorSize === 0) return;
  throw new RangeError(
    `Cannot ${direction} sectors: ${length} bytes are not whole sectors of ${sectorSize}`,
  );
}

/** Options whose names are known. */
type Usable = Omit<IvOptions, "sectorSize"> & { mode: CipherMode; sectorSize?: number };

/** Transforms bytes in place, or in a copy where they are not aligned to a word in memory. */
function onAligned(bytes: Uint8Array, transform: (aligned: Uint8Array) => void): void {
  if (bytes.byteOffset % Int32Array.BYTES_PER_ELEMENT === 0) return transform(bytes);
  const aligned = bytes.slice();
  transform(aligned);
  bytes.set(aligned);
}

function modeOf({ cipher, mode }: { cipher: CipherName; mode: CipherMode }, key: Uint8Array): Mode {
  if (mode === "xts") {
    const half = key.length / 2;
    const under = (part: Uint8Array): BlockCipher => blockCipher(cipher, part);
    return xts({ data: under(key.subarray(0, half)), tweak: under(key.subarray(half)) });
  }
  if (mode === "lrw") {
    const length = key.length - LRW_TWEAK;
    return lrw(blockCipher(cipher, key.subarray(0, length)), key.subarray(length));
  }
  return { ecb, cbc, ctr, cfb, cfb8, cfb1, ofb }[mode](blockCipher(cipher, key));
}
