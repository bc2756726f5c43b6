/** Blocks whose encryption is published. */
export interface KnownAnswers {
  readonly cipher: string;
  readonly source: string;
  /** Key, plaintext and ciphertext in hexadecimal. */
  readonly answers: readonly (readonly [key: string, plain: string, text: string])[];
}

const COUNT_16 = "000102030405060708090a0b0c0d0e0f";
const COUNT_24 = COUNT_16 + "1011121314151617";
const COUNT_32 = COUNT_24 + "18191a1b1c1d1e1f";
const PAIRS = "00112233445566778899aabbccddeeff";
const MIRROR = "0123456789abcdeffedcba9876543210";
const NESSIE = "2bd6459f82c5b300952c49104881ff48";

/** The published answers of every cipher. */
export const knownAnswers: readonly KnownAnswers[] = [
  {
    cipher: "aes",
    source: "FIPS 197, appendix C",
    answers: [
      [COUNT_16, PAIRS, "69c4e0d86a7b0430d8cdb78070b4c55a"],
      [COUNT_24, PAIRS, "dda97ca4864cdfe06eaf70a0ec0d7191"],
      [COUNT_32, PAIRS, "8ea2b7ca516745bfeafc49904b496089"],
    ],
  },
  {
    cipher: "serpent",
    source: "NESSIE, Serpent set 4",
    answers: [
      [COUNT_16, PAIRS, "563e2cf8740a27c164804560391e9b27"],
      [COUNT_24, PAIRS, "6ab816c82de53b93005008afa2246a02"],
      [COUNT_32, PAIRS, "2868b7a2d28ecd5e4fdefac3c4330074"],
      [NESSIE, "ea024714ad5c4d84".repeat(2), "92d7f8ef2c36c53409f275902f06539f"],
      [
        NESSIE + "2bd6459f82c5b300",
        "ea024714ad5c4d84".repeat(2),
        "827b18c2678a239dfc5512842000e204",
      ],
      [NESSIE.repeat(2), "ea024714ad5c4d84".repeat(2), "3e507730776b93fdea661235e1dd99f0"],
    ],
  },
  {
    cipher: "twofish",
    source: "the submission of Twofish",
    answers: [
      ["0".repeat(32), "0".repeat(32), "9f589f5cf6122c32b6bfec2f2ae8c35a"],
      [MIRROR + "0011223344556677", "0".repeat(32), "cfd1d2e5a9be9cdf501f13b892bd2248"],
      [
        MIRROR + "00112233445566778899aabbccddeeff",
        "0".repeat(32),
        "37527be0052334b89f0cfccae87cfa20",
      ],
      [
        "d43bb7556ea32e46f2a282b7d45b4e0d57ff739d4dc92c1bd7fc01700cc8216f",
        "90afe91bb288544f2c32dc239b2635e6",
        "6cb4561c40bf0a9705931cb6d408e7fa",
      ],
    ],
  },
  {
    cipher: "cast5",
    source: "RFC 2144, appendix B.1",
    answers: [
      ["0123456712345678234567893456789a", "0123456789abcdef", "238b4fe5847e44b2"],
      ["01234567123456782345", "0123456789abcdef", "eb6a711a2c02271b"],
      ["0123456712", "0123456789abcdef", "7ac816d16e9b302e"],
    ],
  },
  {
    cipher: "camellia",
    source: "RFC 3713, appendix A",
    answers: [
      [MIRROR, MIRROR, "67673138549669730857065648eabe43"],
      [MIRROR + "0011223344556677", MIRROR, "b4993401b3e996f84ee5cee7d79b09b9"],
      [MIRROR + PAIRS, MIRROR, "9acc237dff16d76c20ef7c919e3a7509"],
    ],
  },
  {
    cipher: "sm4",
    source: "GB/T 32907-2016, appendix A",
    answers: [[MIRROR, MIRROR, "681edf34d206965e86b3e94f536e4246"]],
  },
];
