/**
 * Refcounts as in a refcount block, from its first on. If they are narrower than a byte, the first
 * is in the lowest bits.
 */
export function encodeRefcounts(counts: Uint32Array, bits: number): Uint8Array {
  return bits < 8 ? packed(counts, bits) : wide(counts, bits / 8);
}

function packed(counts: Uint32Array, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(counts.length / perByte));
  for (let i = 0; i < counts.length; i++) {
    const at = Math.floor(i / perByte);
    bytes[at] = (bytes[at] as number) | (counts[i] as number) << (i % perByte * bits);
  }
  return bytes;
}

/** Refcounts of `width` bytes. The counts here never need more than four. */
function wide(counts: Uint32Array, width: number): Uint8Array {
  const bytes = new Uint8Array(counts.length * width);
  for (let i = 0; i < counts.length; i++) {
    let rest = counts[i] as number;
    for (let at = (i + 1) * width - 1; rest !== 0; at--, rest >>>= 8) bytes[at] = rest;
  }
  return bytes;
}
