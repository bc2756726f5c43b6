import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import { type ChainModel, passphrasesOf } from "./models.ts";

/**
 * The passphrases that open a chain: one for each image from the top down, ignored for images that are
 * not encrypted. Empty if no image is encrypted.
 */
export function chainPassphrases(chain: ChainModel): string[] {
  const found = passphrasesOf(chain);
  const some = found.find((passphrase) => passphrase !== undefined);
  return some === undefined ? [] : found.map((passphrase) => passphrase ?? some);
}

/**
 * The chain without keys that the passphrase of another image opens. The reference tries each
 * passphrase on each image, and QEMU on the one that it is for: where an edit destroys the key that it
 * opens, the two would differ.
 */
export function withOwnKeys(chain: ChainModel): ChainModel {
  const passphrases = passphrasesOf(chain);
  return chain.map((image, depth) => {
    if (image.format !== "qcow2" || image.encryption?.kind !== "luks") return image;
    const { encryption } = image;
    const keys = encryption.keys.filter(({ passphrase }) =>
      passphrase === passphrases[depth] || !passphrases.includes(passphrase)
    );
    if (keys.length === encryption.keys.length) return image;
    return normaliseQcow2({ ...image, encryption: { ...encryption, keys } });
  });
}
