import { createHash, getHashes } from "node:crypto";
import { afMerge, hash, type HashName, hashNames, hashTable } from "../../src/crypto/mod.ts";
import { firstDifference } from "../compare/mod.ts";
import { Failure } from "../engine/mod.ts";

let areCompared = false;

/**
 * Compares merging two stripes with the definition, by the platform's hash, for every hash: a key that was
 * split and merged by the same wrong rule would be right again.
 *
 * @throws {Failure} if the two differ
 * @see LUKS1 On-Disk Format 1.2.3, 2.4 Anti-forensic splitter
 */
export function assertStripes(): void {
  if (areCompared) return;
  for (const name of hashNames) assertStripesOf(name);
  areCompared = true;
}

function assertStripesOf(known: HashName): void {
  const { digestSize } = hashTable[known];
  // Two whole digests and a part of a third one.
  const keyLength = 2 * digestSize + 5;
  const material = Uint8Array.from({ length: 2 * keyLength }, (_, i) => 7 * i + (i >> 3));
  const first = material.subarray(0, keyLength);
  const expected = Uint8Array.from(material.subarray(keyLength));
  for (let part = 0; part * digestSize < keyLength; part++) {
    const bytes = first.subarray(part * digestSize, (part + 1) * digestSize);
    const digest = digestOf(known, Uint8Array.of(0, 0, 0, part), bytes);
    for (let i = 0; i < bytes.length; i++) {
      const at = part * digestSize + i;
      expected[at] = (expected[at] as number) ^ (digest[i] as number);
    }
  }
  const differs = firstDifference(afMerge(material, keyLength, 2, known), expected);
  if (differs < 0) return;
  const message = `Byte ${differs} of a key of two stripes is wrong with the hash ${known}`;
  throw new Failure("luks.stripes", message, { about: { path: "/header/hash_spec" } });
}

function digestOf(name: string, ...parts: readonly Uint8Array[]): Uint8Array {
  if (!getHashes().includes(name)) return hash(name, ...parts);
  const context = createHash(name);
  for (const part of parts) context.update(part);
  return new Uint8Array(context.digest());
}
