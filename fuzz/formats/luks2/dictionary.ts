import { cipherNames, hashNames } from "../../../src/crypto/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import {
  boundaries,
  describedMembers,
  type Member,
  memberAt,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../../../src/luks2/mod.ts";
import { type Dictionary, STRAY_NUMBERS, STRAY_VALUES } from "../../mutate/mod.ts";

/** Numbers for the binary header that are likely to reveal bugs. */
const HEADER_NUMBERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, 6n, 0x1000n, 0x3fffn, 0x4000n, 0x5000n, 0x8000n, 0x10000n],
  ...[0x400000n, 0x800000n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
];

/** Texts of a binary header: hashes of the checksum, and near misses. */
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

/** Key lengths in bytes; each cipher accepts some of them. */
const KEY_SIZES: readonly Json[] = [
  ...[15, 16, 17, 24, 32, 33, 48, 63, 64, 65, 128, 512, 4096, 4097, 2 ** 20, "64"],
];

/** Costs of a fast key derivation. */
const CHEAP: readonly Json[] = [0, 1, 2, 3, 8, 16, 24, 32, 64, 100, 500];

/** Values for a member by its name, in addition to those from its description. */
const BY_NAME: Readonly<Record<string, readonly Json[]>> = {
  encryption: CIPHERS,
  hash: HEADER_TEXTS,
  key_size: KEY_SIZES,
};

const TEXTS: readonly string[] = ["", "x", "argon2d", "zero", "future", "online-reencrypt-v99"];

/** Near misses of a string of digits. */
const DIGITS: readonly string[] = [
  ...["0", "1", "4294967296", "9223372036854775807", "9223372036854775808"],
  ...["18446744073709551615", "18446744073709551616", "-1", "+512", " 512", "512 ", "0x200"],
  ...["00", "1e3", "4096.0", ""],
];

/** Integers at the limits of their types, and near misses. */
const INTEGERS: readonly Json[] = [
  ...[0, 1, -1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, "1", 1.5, true, null],
];

const BASE64: readonly string[] = [
  ...["", "AA==", "AAA=", "A", "====", "AAAA AAAA", "A".repeat(43), `${"A".repeat(27)}=`],
  ...[`${"A".repeat(26)}==`, "A".repeat(4000), "é", "*"],
];

const BY_SORT: Readonly<Record<Member["sort"], readonly Json[]>> = {
  text: TEXTS,
  digits: DIGITS,
  integer: INTEGERS,
  base64: BASE64,
  names: STRAY_VALUES,
  references: STRAY_VALUES,
  object: STRAY_VALUES,
  map: STRAY_VALUES,
};

/** Interesting values for a place of the JSON. */
function valuesAt(path: string, old: Json): readonly Json[] {
  const member = memberAt(path);
  if (member === undefined) return STRAY_VALUES;
  const close = typeof old === "string" && /^[0-9]{1,20}$/.test(old) ? near(BigInt(old)) : [];
  if (typeof old === "string" && (member.sort === "names" || member.sort === "references")) {
    return ["known" in member ? member.known ?? [] : [], close, TEXTS, DIGITS].flat();
  }
  const cheap = "cost" in member ? CHEAP : [];
  const named = BY_NAME[path.slice(path.lastIndexOf("/") + 1)] ?? [];
  return [...cheap, ...named, ...boundaries(member), ...close, ...BY_SORT[member.sort]];
}

const STEPS = [1n, 512n, 4096n, 8192n, 65536n];

function near(value: bigint): string[] {
  return STEPS.flatMap((step) => [value + step, value - step]).filter((it) => it >= 0n).map(String);
}

/** Texts that have a meaning somewhere in the JSON. */
const WORDS: readonly Json[] = [
  ...new Set(describedMembers().flatMap(({ member }) => boundaries(member))),
];

/** Names for added members. */
const NAMES: readonly string[] = [
  ...["0", "1", "2", "3", "7", "31", "32", "00", "-1", "x", "", "4294967296"],
  ...new Set(describedMembers().map(({ path }) => path.slice(path.lastIndexOf("/") + 1))),
];

/** The dictionary of LUKS version 2 headers. */
export const luks2Dictionary: Dictionary = {
  texts: () => HEADER_TEXTS,
  numbers: HEADER_NUMBERS,
  magics: [PRIMARY_MAGIC, SECONDARY_MAGIC],
  json: {
    values: valuesAt,
    words: [...STRAY_NUMBERS, ...WORDS, ...TEXTS, ...DIGITS],
    names: NAMES,
  },
};
