import type { Divergence } from "../../compare/mod.ts";

/** Where cryptsetup and the reference differ over volumes of LUKS version 2. */
export const luks2Divergences: readonly Divergence[] = [
  {
    name: "cryptsetup-digest-lengths",
    rule: "luks2.digest.lengths",
    because:
      "PBKDF2_digest_verify returns the success of the step before if a digest or its salt has " +
      "another length: cryptsetup 2.6.1 and 2.7.5 accept any passphrase and use a wrong volume key " +
      "(cryptsetup lib/luks2/luks2_digest_pbkdf2.c). The reference rejects the slot.",
    explains: ({ question, outcome, ours }) =>
      question === "unlock" && outcome === "accepted" && ours === "luks2.digest.lengths",
  },
  {
    name: "cryptsetup-luks2-needs-the-kernel",
    rule: "luks2.area.cipher",
    because:
      "cryptsetup uses the kernel for ciphers that OpenSSL lacks; without AF_ALG a slot with such a " +
      "cipher ends the search (cryptsetup lib/luks2/luks2_keyslot_luks2.c, " +
      "luks2_decrypt_from_storage; lib/crypto_backend/crypto_openssl.c, crypt_cipher_init). The " +
      "reference implements the cipher.",
    explains: ({ question, outcome, ours, said }) =>
      question === "unlock" && outcome !== "accepted" &&
      (ours === undefined || ours === "luks2.key.unlock") &&
      /Cannot use \S+ cipher for keyslot encryption|kernel supports/.test(said ?? ""),
  },
  {
    name: "cryptsetup-abort-for-token-32",
    rule: "luks2.token.fields",
    because:
      "cryptsetup 2.6.1 tries tokens before the passphrase and aborts at a token number above 31, " +
      "although its luksDump accepts it (cryptsetup lib/luks2/luks2_token.c, token_is_blocked: the " +
      "assertion on the size of its list). The reference tries no token.",
    explains: ({ question, outcome, said }) =>
      question === "unlock" && outcome === "crashed" && /token_is_blocked/.test(said ?? ""),
  },
];
