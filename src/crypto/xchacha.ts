/** Words of 32 bits in a state, and bytes of one. */
const STATE_WORDS = 16;
const STATE_BYTES = 64;
/** "expand 32-byte k", as words. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

function quarter(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  const mix = (x: number, y: number, z: number, bits: number): void => {
    state[x] = state[x]! + state[y]!;
    const mixed = state[z]! ^ state[x]!;
    state[z] = (mixed << bits) | (mixed >>> (32 - bits));
  };
  mix(a, b, d, 16);
  mix(c, d, b, 12);
  mix(a, b, d, 8);
  mix(c, d, b, 7);
}

function permute(state: Uint32Array, rounds: number): void {
  for (let round = 0; round < rounds; round += 2) {
    for (let i = 0; i < 4; i++) quarter(state, i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) {
      quarter(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
  }
}

/** The little-endian words of bytes, wherever they are in their buffer. */
export function littleWords(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

/**
 * Adds the keystream of XChaCha to bytes, in place (Arciszewski: XChaCha, draft-irtf-cfrg-xchacha; with
 * the 64-bit counter of Bernstein's ChaCha).
 *
 * @param nonce 24 bytes
 * @param rounds 12 or 20
 */
export function xchacha(
  bytes: Uint8Array,
  { key, nonce, rounds }: { key: Uint8Array; nonce: Uint8Array; rounds: number },
): void {
  const words = littleWords(nonce);
  const first = Uint32Array.of(...CONSTANTS, ...littleWords(key), ...words.subarray(0, 4));
  permute(first, rounds);
  const state = new Uint32Array(STATE_WORDS);
  state.set(CONSTANTS);
  state.set(first.subarray(0, 4), 4);
  state.set(first.subarray(12), 8);
  state.set(words.subarray(4), 14);
  for (let at = 0; at < bytes.length; at += STATE_BYTES) {
    const block = state.slice();
    permute(block, rounds);
    const end = Math.min(STATE_BYTES, bytes.length - at);
    for (let i = 0; i < STATE_WORDS; i++) block[i] = block[i]! + state[i]!;
    for (let i = 0; i < end; i++) bytes[at + i]! ^= block[i >> 2]! >>> (8 * (i & 3));
    // A sector never needs the upper half of the counter.
    state[12]!++;
  }
}
