import { sectorCipher, type SectorCipherOptions } from "../crypto/mod.ts";

/**
 * An answer of public libraries: one SHA-256 for a cipher in a mode with an IV generator. Its message is
 * the `encrypted` of {@link encryptedSectors}. The libraries encrypted their sectors one
 * by one, each as a message of its own, with the block cipher and the mode of the library (libgcrypt's
 * gcry_cipher_encrypt, Botan's botan_cipher_update, OpenSSL's EVP_EncryptUpdate with its legacy provider
 * loaded for CAST5). The libraries know no IV generators: the vectors were packed by a script of its own
 * after the definitions in cryptsetup's crypto_storage.c, and for `essiv` and `eboiv` encrypted with the
 * library's block cipher in ECB, for `essiv` under a digest of OpenSSL and libgcrypt (SHAKE and Keccak:
 * OpenSSL alone). LRW was computed after the definition of IEEE P1619 draft 5 with OpenSSL's block ciphers
 * in ECB, by the same kind of script, which gives the vectors of the draft. Adiantum was computed after
 * its paper with OpenSSL's AES by such a script, which gives the vectors of its authors.
 */
export interface SectorVector {
  /** Such as `aes-cbc-essiv:sha256, 128 bits`. */
  readonly name: string;
  /** The libraries that agree on it. */
  readonly libraries: string;
  /** SHA-256 in lower-case hexadecimal. */
  readonly digest: string;
}

/** Reads the answers that are stored in a file: those of some libraries together, by name. */
export function sectorVectors(path: string): SectorVector[] {
  const stored = JSON.parse(Deno.readTextFileSync(path)) as Record<string, Record<string, string>>;
  return Object.entries(stored).flatMap(([libraries, digests]) =>
    Object.entries(digests).map(([name, digest]) => ({ name, libraries, digest }))
  );
}

/** Consecutive sectors, and the number of the first one in units of 512 bytes. */
interface SectorRun {
  readonly sectorSize: number;
  readonly first: bigint;
  readonly count: number;
}

/** From zero on, across 2^32, and where a number times the blocks in 512 bytes has more than 64 bits. */
const RUNS: readonly SectorRun[] = [
  { sectorSize: 512, first: 0n, count: 3 },
  { sectorSize: 512, first: 2n ** 32n - 2n, count: 4 },
  { sectorSize: 4096, first: 2n ** 32n - 8n, count: 2 },
  { sectorSize: 2048, first: 2n ** 55n + 4n, count: 2 },
];

const PLAIN = Uint8Array.from({ length: 8192 }, (_, i) => i * i + 7 * (i >> 8));

/** Sectors under a cipher, those of all runs one after the other. */
export interface EncryptedSectors {
  readonly plain: Uint8Array;
  readonly encrypted: Uint8Array;
  /** What decrypting gives: the plain bytes again. */
  readonly decrypted: Uint8Array;
}

/** Encrypts the sectors with the cipher of a vector, and decrypts them. */
export function encryptedSectors({ name }: Pick<SectorVector, "name">): EncryptedSectors {
  const { options, keyLength } = sectorOptions(name);
  const key = Uint8Array.from({ length: keyLength }, (_, i) => 7 * i + 1);
  const length = RUNS.reduce((sum, { sectorSize, count }) => sum + sectorSize * count, 0);
  const plain = new Uint8Array(length);
  const encrypted = new Uint8Array(length);
  const decrypted = new Uint8Array(length);
  let at = 0;
  for (const { sectorSize, first, count } of RUNS) {
    const volume = sectorCipher({ ...options, sectorSize }, key);
    const end = at + sectorSize * count;
    plain.set(PLAIN.subarray(0, end - at), at);
    encrypted.set(plain.subarray(at, end), at);
    volume.encrypt(encrypted.subarray(at, end), first);
    decrypted.set(encrypted.subarray(at, end), at);
    volume.decrypt(decrypted.subarray(at, end), first);
    at = end;
  }
  return { plain, encrypted, decrypted };
}

/** What the name of a vector says. */
export function sectorOptions(
  name: string,
): { readonly options: SectorCipherOptions; readonly keyLength: number } {
  const [, cipher = "", mode = "", ivGenerator = "", ivHash, bits] =
    /^([\w,]+)-(\w+)(?:-(\w+)(?::(\S+))?)?, (\d+) bits$/.exec(name) ?? [];
  return { options: { cipher, mode, ivGenerator, ivHash }, keyLength: Number(bits) / 8 };
}
