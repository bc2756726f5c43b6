import type { ByteSource } from "../../src/bytes/mod.ts";

/** Changes of key slots. Both get the file with the header, and return it changed. */
export interface KeySlots {
  /** Whether a file has key slots that can be changed. */
  isIn(file: ByteSource): boolean;
  /**
   * Adds a key.
   *
   * @throws {EditError} if all slots are in use
   */
  add(file: Uint8Array, passphrases: { readonly old: string; readonly added: string }): Uint8Array;
  /**
   * Erases the slots that a passphrase opens.
   *
   * @throws {EditError} if it opens none
   */
  erase(file: Uint8Array, passphrase: string): Uint8Array;
}
