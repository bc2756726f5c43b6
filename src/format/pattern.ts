/** Bytes that follow from a few numbers, never an array of random bytes: shrinking those never ends. */
export interface Pattern {
  /**
   * `zero`: zeros; `fill`: every byte is `seed`; `ramp`: byte i is `seed + i`; `text`: words, which
   * compress well; `noise`: pseudo-random bytes, which do not compress.
   */
  readonly kind: "zero" | "fill" | "ramp" | "text" | "noise";
  readonly seed: number;
}

const WORDS = "the header of an image says where its tables lie and what each of them holds ";

/** The `length` bytes of a pattern from `from` on. Deterministic; the same on every machine. */
export function patternBytes(pattern: Pattern, length: number, from = 0): Uint8Array {
  const target = new Uint8Array(length);
  switch (pattern.kind) {
    case "zero":
      break;
    case "fill":
      target.fill(pattern.seed);
      break;
    case "ramp":
      for (let i = 0; i < length; i++) target[i] = pattern.seed + from + i;
      break;
    case "text":
      for (let i = 0; i < length; i++) {
        target[i] = WORDS.charCodeAt((pattern.seed + from + i) % WORDS.length);
      }
      break;
    case "noise":
      fillNoise(target, pattern.seed, from);
      break;
  }
  return target;
}

/**
 * Every aligned 4 bytes are a hash of their position and the seed, so that any part of a pattern can
 * be had without what comes before it.
 */
function fillNoise(target: Uint8Array, seed: number, from: number): void {
  for (let i = 0; i < target.length;) {
    const at = from + i;
    let word = mix((at >>> 2) + Math.imul(seed | 0, 0x9e3779b1)) >>> (8 * (at & 3));
    for (let byte = at & 3; byte < 4 && i < target.length; byte++, i++, word >>>= 8) {
      target[i] = word;
    }
  }
}

/** A 32-bit finalizer in which every input bit flips half of the output bits. */
function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** Bytes that follow from a seed, other ones with each call. */
export function seededBytes(seed: number): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    const bytes = patternBytes({ kind: "noise", seed }, length, at);
    at += length;
    return bytes;
  };
}
