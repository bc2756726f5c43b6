import { hexOf, LastUsed } from "../bytes/mod.ts";
import { hash } from "./hash.ts";

/** What a key is derived from, apart from its key material. */
export interface KeySource {
  /** The key derivation and the encryption of the slot, as text or numbers. */
  readonly facts: readonly (string | number)[];
  /** The salt of the key derivation. */
  readonly salt: Uint8Array;
  /** The passphrase. */
  readonly passphrase: Uint8Array;
}

/**
 * Keys of slots that were derived before, by all that they follow from: passphrase, salt, derivation,
 * cipher and key material. For callers that open the same volumes many times, such as a fuzz run; nothing
 * is kept without one.
 *
 * The keys and passphrases stay in memory until others push them out or this object is dropped: do not
 * use it with secrets.
 */
export class KeptKeys {
  readonly #keys: LastUsed<string, Uint8Array>;

  /**
   * Keeps no key yet.
   *
   * @param capacity maximum number of keys
   */
  constructor(capacity: number) {
    this.#keys = new LastUsed(capacity);
  }

  /** The key from a source and its material; derived if it is not kept. */
  get(
    { facts, salt, passphrase }: KeySource,
    material: Uint8Array,
    derive: () => Uint8Array,
  ): Uint8Array {
    const parts = [
      ...facts,
      ...[salt, passphrase, hash("sha256", material)].map((it) => hexOf(it)),
    ];
    return this.#keys.get(JSON.stringify(parts), derive).slice();
  }
}
