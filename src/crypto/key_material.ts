import { SECTOR } from "../bytes/mod.ts";
import { afMerge, afSplit } from "./af.ts";
import type { SectorCipher } from "./sector_cipher.ts";

/**
 * What the stripes of key material are, but for the last one: random bytes, or what zeros decrypt to.
 * Readers open both alike, and sparse material is nearly all zeros. It is for images under test: of what
 * the splitter is for nothing is left, since the last stripe alone would have to survive an erasure.
 */
export type MaterialKind = "noise" | "sparse";

/** What key material is made with. */
export interface KeyMaterialOptions {
  readonly stripes: number;
  /** The hash of the splitter, spelt as in a LUKS header. */
  readonly hash: string;
  /** That of the key which a passphrase gives. Sectors are counted from the start of the material. */
  readonly cipher: Pick<SectorCipher, "encrypt" | "decrypt">;
  /** Gives as many random bytes as it is asked for; sparse material asks for none. */
  readonly random: (length: number) => Uint8Array;
  /** `noise` by default. */
  readonly kind?: MaterialKind | undefined;
}

/** The longest block of any cipher, of which the shorter ones are a fraction. */
const BLOCK = 16;

/**
 * A key split and encrypted, as a key slot stores it: `key.length * stripes` bytes, rounded up to whole
 * sectors.
 *
 * @throws {RangeError} when there is no such hash, or there are no stripes, or the key is empty
 *
 * @see LUKS1 On-Disk Format 1.2.3, 2.4 Anti-forensic information splitting
 */
export function keyMaterial(key: Uint8Array, options: KeyMaterialOptions): Uint8Array {
  return options.kind === "sparse" ? sparse(key, options) : noisy(key, options);
}

/** What the key in key material is recovered with. */
export interface KeyOfMaterialOptions extends Pick<KeyMaterialOptions, "stripes" | "hash"> {
  readonly cipher: Pick<SectorCipher, "decrypt">;
  /** Fills `target` with the start of the material: whole sectors. */
  readonly read: (target: Uint8Array) => void;
}

/**
 * The key of so many bytes that is in key material, which {@link keyMaterial} made. Other material, or
 * another cipher, gives other bytes.
 *
 * @throws {RangeError} when there is no such hash, or there are no stripes, or the key is empty
 */
export function keyOfMaterial(
  keyBytes: number,
  { stripes, hash, cipher, read }: KeyOfMaterialOptions,
): Uint8Array {
  const length = keyBytes * stripes;
  // A key of 24 bytes does not fill the last sector, which is encrypted as a whole.
  const material = new Uint8Array(wholeSectors(length));
  read(material);
  cipher.decrypt(material, 0n);
  return afMerge(material.subarray(0, length), keyBytes, stripes, hash);
}

function noisy(key: Uint8Array, { stripes, hash, cipher, random }: KeyMaterialOptions): Uint8Array {
  const material = new Uint8Array(wholeSectors(key.length * stripes));
  material.set(afSplit(key, stripes, hash, random));
  cipher.encrypt(material, 0n);
  return material;
}

/**
 * Material that is zeros but for the blocks of the last stripe. The splitter takes any bytes for the
 * stripes before that: here they are the plaintext of zeros, so that they encrypt to zeros again.
 */
function sparse(key: Uint8Array, { stripes, hash, cipher }: KeyMaterialOptions): Uint8Array {
  const length = key.length * stripes;
  const plain = new Uint8Array(wholeSectors(length));
  cipher.decrypt(plain, 0n);
  plain.set(afSplit(key, stripes, hash, (count) => plain.subarray(0, count)));
  // The last stripe may share its first sector with others, and a stripe may be in two sectors.
  const start = Math.floor((length - key.length) / SECTOR) * SECTOR;
  const end = plain.subarray(start);
  cipher.encrypt(end, BigInt(start / SECTOR));
  // No block is decrypted with the help of a later one, so that what follows the stripes is free.
  end.fill(0, Math.ceil((length - start) / BLOCK) * BLOCK);
  const material = new Uint8Array(plain.length);
  material.set(end, start);
  return material;
}

function wholeSectors(length: number): number {
  return Math.ceil(length / SECTOR) * SECTOR;
}
