import { MemorySource } from "../../src/bytes/mod.ts";
import { hash } from "../../src/crypto/mod.ts";
import { encryptedSectors, sectorVectors } from "../../src/recorded/mod.ts";
import { firstDifference } from "../compare/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";

/** A cipher whose sectors public libraries have encrypted: what it is called, and what must come of it. */
interface RecordedCipher {
  readonly libraries: string;
  readonly digest: string;
}

const VECTORS = new URL("../../golden/ciphers.json", import.meta.url).pathname;
/** Takes a hundred times as long as the others: tests/crypto has them. */
const SLOW = /-cfb[18]-/;

let vectors: ReadonlyMap<string, RecordedCipher> | undefined;

/** The recorded ciphers by their names, such as `aes-cbc-essiv:sha256, 128 bits`. */
export function recordedCiphers(): ReadonlyMap<string, RecordedCipher> {
  return vectors ??= new Map(
    sectorVectors(VECTORS).filter(({ name }) => !SLOW.test(name)).map((it) => [it.name, it]),
  );
}

/** The encrypted sectors as a file. */
export function sectorFile(name: string): CaseFile {
  return { name: "sectors.raw", source: new MemorySource(encryptedSectors({ name }).encrypted) };
}

/**
 * Compares encrypted sectors with those of the libraries.
 *
 * @throws {Failure} if they differ, or do not decrypt to what was encrypted
 */
export function assertCipher(name: string, { libraries, digest }: RecordedCipher): void {
  const { plain, encrypted, decrypted } = encryptedSectors({ name });
  // A bug of an IV generator concerns all ciphers, and is one failure.
  const sort = /^[\w,]+-(\w+(?:-\w+)?)/.exec(name)?.[1] ?? name;
  const found = hash("sha256", encrypted).toHex();
  if (found !== digest) {
    throw new Failure(`golden.sectors.${sort}`, `sectors of ${name} differ`, {
      answers: [{ by: "reference", text: found }, { by: libraries, text: digest }],
    });
  }
  const differs = firstDifference(decrypted, plain);
  if (differs < 0) return;
  throw new Failure(
    `golden.sectors.${sort}.back`,
    `byte ${differs} of ${name} is decrypted wrongly`,
  );
}
