import { cipherNames, hashNames } from "../../../src/crypto/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import { type Dictionary, STRAY_NUMBERS, STRAY_VALUES } from "../../mutate/mod.ts";

/** Numbers of a binary header that implementations trip over. */
const HEADER_NUMBERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, 6n, 0x1000n, 0x3fffn, 0x4000n, 0x5000n, 0x8000n, 0x10000n],
  ...[0x400000n, 0x800000n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
];

/** Texts of a binary header: hashes of the checksum, and what is nearly one. */
const HEADER_TEXTS: readonly string[] = [
  ...hashNames,
  ...["", "x", "md5", "SHA256", "sha-256", "sha256x", "é", "a".repeat(64)],
];

const CIPHERS: readonly string[] = [
  ...cipherNames.map((name) => `${name}-xts-plain64`),
  ...["aes-cbc-essiv:sha256", "aes-cbc-plain64", "aes-cbc-plain", "aes", "aes-plain", "aes-ecb"],
  ...[
    "aes-cbc-essiv",
    "aes-cbc-essiv:md9",
    "aes-cbc-null",
    "aes-xts-essiv:sha256",
    "aes-lrw-benbi",
  ],
  ...[
    "cipher_null-ecb",
    "capi:xts(aes)-plain64",
    "aes-gcm-random",
    "xchacha20,aes-adiantum-plain64",
  ],
  ...["", "-", "aes-", "null", "AES-xts-plain64", "aes-xts-plain64 ", `aes-${"x".repeat(80)}`],
];

/** Texts that have a meaning somewhere in the JSON. */
const WORDS: readonly string[] = [
  ...["luks2", "luks1", "raw", "none", "checksum", "journal", "datashift", "reencrypt", "x", ""],
  ...["crypt", "linear", "zero", "pbkdf2", "argon2i", "argon2id", "argon2d", "dynamic"],
  ...["backup-final", "backup-previous", "in-reencryption", "offline-reencrypt", "future"],
  ...["online-reencrypt", "online-reencrypt-v2", "online-reencrypt-v3", "online-reencrypt-v99"],
  ...["allow-discards", "same-cpu-crypt", "no-journal", "luks2-keyring"],
];

/** Numbers written as texts, and what is nearly one. */
const DIGITS: readonly string[] = [
  ...["0", "1", "2", "3", "31", "32", "512", "4096", "8192", "12288", "16384", "32768", "258048"],
  ...["290816", "557056", "134217728", "134221824", "4294967296", "9223372036854775807"],
  ...["9223372036854775808", "18446744073709547520", "18446744073709551615"],
  ...["18446744073709551616", "-1", "+512", " 512", "512 ", "0x200", "00", "1e3", "4096.0", ""],
];

/** Costs of key derivation: most of them take no time, and some take for ever. */
const COSTS: readonly Json[] = [
  ...[0, 1, 2, 3, 8, 16, 24, 32, 64, 100, 500, "1", 1.5],
  ...[-1, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1],
];

/** Lengths of keys in bytes. */
const KEY_SIZES: readonly Json[] = [
  ...[0, 1, 15, 16, 17, 24, 32, 33, 48, 63, 64, 65, 128, 512, 4096, 4097, "64"],
  ...[-1, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
];

const BASE64: readonly string[] = [
  ...["", "AA==", "AAA=", "A", "====", "AAAA AAAA", "A".repeat(43), `${"A".repeat(43)}=`],
  ...["A".repeat(44), `${"A".repeat(26)}==`, `${"A".repeat(27)}=`, "A".repeat(4000), "é", "*"],
];

const BY_NAME: ReadonlyMap<string, readonly Json[]> = new Map<string, readonly Json[]>([
  ...["iterations", "time", "memory", "cpus"].map((name) => [name, COSTS] as const),
  ["key_size", KEY_SIZES],
  ["encryption", CIPHERS],
  ["hash", HEADER_TEXTS],
  ["salt", BASE64],
  ["digest", BASE64],
  ["sector_size", [512, 1024, 2048, 4096, 8192, 256, 513, 0, -1, 2 ** 32, "512"]],
  ["stripes", [4000, 3999, 1, 0, -1, 2 ** 31, 2 ** 32]],
  ["priority", [0, 1, 2, 3, -1, "2", 2 ** 32 + 2, true, null]],
]);

/** Values worth trying for a place of the JSON. */
function valuesAt(member: string, old: Json): readonly Json[] {
  const known = BY_NAME.get(member.slice(member.lastIndexOf("/") + 1));
  if (known !== undefined) return known;
  if (typeof old === "number") return STRAY_NUMBERS;
  if (typeof old !== "string") return STRAY_VALUES;
  return /^[0-9]+$/.test(old) ? [...near(BigInt(old)), ...DIGITS] : [...WORDS, ...DIGITS];
}

const STEPS = [1n, 512n, 4096n, 8192n, 65536n];

function near(value: bigint): string[] {
  return STEPS.flatMap((step) => [value + step, value - step]).filter((it) => it >= 0n).map(String);
}

/** Names that a value may be put under. */
const NAMES: readonly string[] = [
  ...["0", "1", "2", "3", "7", "31", "32", "00", "-1", "x", "", "4294967296", "flags", "size"],
  ...["priority", "integrity", "requirements", "keyslots", "segments", "mandatory", "type", "mode"],
];

/** What is worth trying in a header of LUKS version 2. */
export const luks2Dictionary: Dictionary = {
  texts: () => HEADER_TEXTS,
  numbers: HEADER_NUMBERS,
  json: {
    values: valuesAt,
    words: [...STRAY_NUMBERS, ...WORDS, ...DIGITS],
    names: NAMES,
  },
};
