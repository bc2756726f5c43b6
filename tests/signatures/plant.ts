import { crc32 } from "node:zlib";

/** Bytes at an offset; from the end of the file if it is negative. */
export type Put = readonly [offset: number, bytes: Uint8Array];

/** A signature to plant into a file of zeros. */
export interface Plant {
  /** libblkid's name. */
  readonly name: string;
  readonly puts: readonly Put[];
  /** What turns it into none; absent where the magic is all there is. */
  readonly miss?: readonly Put[];
}

/** Size of the file that the signatures are planted into; libblkid looks for ZFS from 64 MiB on. */
export const SIZE = 65 * 2 ** 20;

export const KIB = 1024;
export const SECTOR = 512;

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function little(value: number | bigint, width = 4): Uint8Array {
  return Uint8Array.from(
    { length: width },
    (_, at) => Number(BigInt(value) >> BigInt(8 * at) & 0xffn),
  );
}

export function big(value: number | bigint, width = 4): Uint8Array {
  return little(value, width).reverse();
}

/** CRC-32 without the inversions, from a start value. */
export function crc(bytes: Uint8Array, start: number): number {
  return ~crc32(bytes, ~start >>> 0) >>> 0;
}

/** A text of Latin-1, or bytes, at an offset. */
export function put(offset: number, content: string | Uint8Array): Put {
  return [offset, typeof content === "string" ? latin1(content) : content];
}

export function magic(name: string, offset: number, text: string): Plant {
  return { name, puts: [put(offset, text)], miss: [put(offset, "\x01".repeat(text.length))] };
}

export function checked(name: string, puts: readonly Put[], ...miss: readonly Put[]): Plant {
  return { name, puts, miss };
}
