import { SECTOR } from "../bytes/mod.ts";
import { afMerge, afSplit } from "./af.ts";
import type { KeptKeys, KeySource } from "./kept_keys.ts";
import type { SectorCipher } from "./sector_cipher.ts";

/**
 * The content of all stripes of key material except the last: random bytes, or the bytes that
 * encrypt to zeros. Readers open both in the same way, and sparse material is nearly all zeros. It
 * is for images under test only: it defeats the purpose of the splitter, because the last stripe
 * alone reveals the key.
 */
export type MaterialKind = "noise" | "sparse";

/** The options for making key material. */
export interface KeyMaterialOptions {
  readonly stripes: number;
  /** The hash of the splitter, as spelled in a LUKS header. */
  readonly hash: string;
  /**
   * The encryption under the key that is derived from a passphrase. Sectors are counted from the
   * start of the material.
   */
  readonly cipher: Pick<SectorCipher, "encrypt" | "decrypt">;
  /** Returns the requested number of random bytes; not used for sparse material. */
  readonly random: (length: number) => Uint8Array;
  /** `noise` by default. */
  readonly kind?: MaterialKind | undefined;
}

/** The longest block of any cipher. The shorter ones divide it. */
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

/** The options for recovering a key from key material. */
export interface KeyOfMaterialOptions extends Pick<KeyMaterialOptions, "stripes" | "hash"> {
  /** The encryption under the key that is derived from a passphrase. */
  readonly cipher: () => Pick<SectorCipher, "decrypt">;
  /** Keys that were derived before, and what this one follows from. */
  readonly kept?: { readonly keys: KeptKeys; readonly from: KeySource } | undefined;
  /** Fills `target` with the start of the material: whole sectors. */
  readonly read: (target: Uint8Array) => void;
}

/**
 * Recovers the key from material that {@link keyMaterial} made. Other material or another cipher
 * gives other bytes.
 *
 * @throws {RangeError} when there is no such hash, or there are no stripes, or the key is empty
 */
export function keyOfMaterial(
  keyBytes: number,
  { stripes, hash, cipher, read, kept }: KeyOfMaterialOptions,
): Uint8Array {
  const length = keyBytes * stripes;
  // A key of 24 bytes does not fill the last sector; the whole sector is encrypted.
  const material = new Uint8Array(wholeSectors(length));
  read(material);
  const derive = (): Uint8Array => {
    cipher().decrypt(material, 0n);
    return afMerge(material.subarray(0, length), keyBytes, stripes, hash);
  };
  return kept === undefined ? derive() : kept.keys.get(kept.from, material, derive);
}

function noisy(key: Uint8Array, { stripes, hash, cipher, random }: KeyMaterialOptions): Uint8Array {
  const material = new Uint8Array(wholeSectors(key.length * stripes));
  material.set(afSplit(key, stripes, hash, random));
  cipher.encrypt(material, 0n);
  return material;
}

/**
 * Material that is zero except for the blocks of the last stripe. The splitter allows any bytes in
 * the stripes before it. Here they are the decryption of zeros, so that they encrypt to zeros
 * again.
 */
function sparse(key: Uint8Array, { stripes, hash, cipher }: KeyMaterialOptions): Uint8Array {
  const length = key.length * stripes;
  const plain = new Uint8Array(wholeSectors(length));
  cipher.decrypt(plain, 0n);
  plain.set(afSplit(key, stripes, hash, (count) => plain.subarray(0, count)));
  // The last stripe may share its first sector with others, and may span two sectors.
  const start = Math.floor((length - key.length) / SECTOR) * SECTOR;
  const end = plain.subarray(start);
  cipher.encrypt(end, BigInt(start / SECTOR));
  // No block depends on a later one for decryption, so the bytes after the stripes can be anything.
  end.fill(0, Math.ceil((length - start) / BLOCK) * BLOCK);
  const material = new Uint8Array(plain.length);
  material.set(end, start);
  return material;
}

function wholeSectors(length: number): number {
  return Math.ceil(length / SECTOR) * SECTOR;
}
