/** Polynomials with their bits in reverse order. */
export const POLYNOMIALS = { ieee: 0xedb88320, castagnoli: 0x82f63b78 } as const;

/** A cyclic redundancy check of 32 bits, lowest bit first, without a final inversion. */
export function crc32(
  bytes: Uint8Array,
  { start, polynomial = POLYNOMIALS.ieee }: { start: number; polynomial?: number },
): number {
  let crc = start;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? polynomial : 0);
  }
  return crc >>> 0;
}
