import { hexOf, LastUsed } from "../bytes/mod.ts";
import { hash as digestOf, numberedHash } from "./hash.ts";

/**
 * The anti-forensic splitter of LUKS1: stretches a key to `stripes` times its length, so that
 * losing any one byte of the result makes the key unrecoverable (LUKS1 On-Disk Format 1.2.3,
 * section 2.4).
 *
 * @param stripes at least 1; with 1 the result is the key itself
 * @param hash as spelled in a LUKS header
 * @param random returns the requested number of random bytes
 * @returns key material of `key.length * stripes` bytes
 * @throws {RangeError} when there is no such hash, or there are no stripes, or the key is empty
 */
export function afSplit(
  key: Uint8Array,
  stripes: number,
  hash: string,
  random: (length: number) => Uint8Array,
): Uint8Array {
  assertSizes(key.length, stripes);
  const material = new Uint8Array(key.length * stripes);
  material.set(random(material.length - key.length));
  material.set(key, material.length - key.length);
  const last = material.subarray(material.length - key.length);
  xorBytes(last, diffused(material, { keyLength: key.length, stripes, hash }));
  return material;
}

/**
 * Recovers the key that {@link afSplit} split. Other material gives other bytes.
 *
 * @param material at least `keyLength * stripes` bytes; the rest is ignored
 * @param hash as spelled in a LUKS header
 * @throws {RangeError} when there is no such hash, too little material, no stripe or no key
 */
export function afMerge(
  material: Uint8Array,
  keyLength: number,
  stripes: number,
  hash: string,
): Uint8Array {
  assertSizes(keyLength, stripes);
  const length = keyLength * stripes;
  if (material.length < length) {
    throw new RangeError(
      `Cannot merge key material: ${material.length} bytes are not ${stripes} stripes of ${keyLength}`,
    );
  }
  const key = material.slice(length - keyLength, length);
  xorBytes(key, diffused(material, { keyLength, stripes, hash }));
  return key;
}

interface Splitting {
  readonly keyLength: number;
  readonly stripes: number;
  readonly hash: string;
}

/**
 * The last sums by what they are of. A volume is often opened several times, also after it was made, and
 * one digest of the platform costs little beside the thousands of digests of the splitter.
 */
const sums = new LastUsed<string, Uint8Array>(2 ** 12);

/** What all stripes but the last add to the key. */
function diffused(material: Uint8Array, splitting: Splitting): Uint8Array {
  const { keyLength, stripes, hash } = splitting;
  const others = material.subarray(0, (stripes - 1) * keyLength);
  const from = `${hash} ${keyLength} ${stripes} ${hexOf(digestOf("sha256", others))}`;
  return sums.get(from, () => sumOf(others, splitting));
}

function sumOf(others: Uint8Array, { keyLength, hash }: Splitting): Uint8Array {
  const digest = numberedHash(hash);
  const sum = new Uint8Array(keyLength);
  const { digestSize } = digest;
  const count = Math.ceil(keyLength / digestSize);
  const chunks = Array.from(
    { length: count },
    (_, i) => [i, sum.subarray(i * digestSize, (i + 1) * digestSize)] as const,
  );
  for (let at = 0; at < others.length;) {
    for (let i = 0; i < keyLength; i++) sum[i] = (sum[i] as number) ^ (others[at++] as number);
    for (const [i, chunk] of chunks) digest.replace(i, chunk);
  }
  return sum;
}

function xorBytes(bytes: Uint8Array, others: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= others[i]!;
}

function assertSizes(keyLength: number, stripes: number): void {
  if (!Number.isInteger(keyLength) || keyLength < 1) {
    throw new RangeError(`Cannot use a split key of ${keyLength} bytes`);
  }
  if (!Number.isInteger(stripes) || stripes < 1) {
    throw new RangeError(`Cannot use a key split into ${stripes} stripes`);
  }
}
