/** Changes of key slots. Both get the file with the header, and return it changed. */
export interface KeySlots {
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
