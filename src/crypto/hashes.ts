import { namesOf, type Table, tableOf } from "./table.ts";

/** A hash, as a LUKS header names it. */
export type HashName =
  | "md5"
  | "sha1"
  | "sha224"
  | "sha256"
  | "sha384"
  | "sha512"
  | "ripemd160"
  | "sm3"
  | "whirlpool"
  | "sha512-224"
  | "sha512-256"
  | "sha3-224"
  | "sha3-256"
  | "sha3-384"
  | "sha3-512"
  | "blake2b-512"
  | "blake2s-256"
  | "md5-sha1";

/** The facts of one hash. */
export interface HashFacts {
  /** Bytes in a digest. */
  readonly digestSize: number;
  /** Where the hash and its test vectors are published. */
  readonly published: string;
  /** The first version of QEMU that accepts the name in a header, or `null`. */
  readonly qemu: string | null;
  /**
   * Whether cryptsetup creates volumes with it: it does not if a digest has fewer than 20 bytes.
   */
  readonly cryptsetup: boolean;
}

function facts(digestSize: number, published: string, qemu: string | null = null): HashFacts {
  return Object.freeze({ digestSize, published, qemu, cryptsetup: digestSize >= 20 });
}

/** Every hash that can be used, with its facts. */
export const hashTable: Table<HashName, HashFacts> = tableOf({
  md5: facts(16, "RFC 1321", "2.6"),
  sha1: facts(20, "FIPS 180-4", "2.6"),
  sha224: facts(28, "FIPS 180-4", "2.7"),
  sha256: facts(32, "FIPS 180-4", "2.6"),
  sha384: facts(48, "FIPS 180-4", "2.7"),
  sha512: facts(64, "FIPS 180-4", "2.7"),
  ripemd160: facts(20, "Dobbertin, Bosselaers, Preneel: RIPEMD-160, 1996", "2.7"),
  sm3: facts(32, "GB/T 32905-2016", "9.2"),
  whirlpool: facts(64, "ISO/IEC 10118-3"),
  "sha512-224": facts(28, "FIPS 180-4"),
  "sha512-256": facts(32, "FIPS 180-4"),
  "sha3-224": facts(28, "FIPS 202"),
  "sha3-256": facts(32, "FIPS 202"),
  "sha3-384": facts(48, "FIPS 202"),
  "sha3-512": facts(64, "FIPS 202"),
  "blake2b-512": facts(64, "RFC 7693"),
  "blake2s-256": facts(32, "RFC 7693"),
  "md5-sha1": facts(36, "RFC 4346"),
});

/** The names of {@link hashTable}. */
export const hashNames: readonly HashName[] = namesOf<HashName>(hashTable);

/** Whether a name, as spelled in a header, is that of a hash. */
export function isHashName(name: string): name is HashName {
  return hashTable[name] !== undefined;
}
