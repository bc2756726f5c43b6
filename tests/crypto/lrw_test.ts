import { assertEquals } from "@std/assert";
import { hexOf } from "../../src/bytes/mod.ts";
import { sectorCipher, volumeKeyLengths } from "../../src/crypto/mod.ts";
import { blockCipher } from "../../src/crypto/block_cipher.ts";
import { lrw } from "../../src/crypto/lrw.ts";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const PLAIN = "30313233343536373839414243444546";

/** IEEE P1619 draft 5, LRW-32-AES: key, index and ciphertext of the same block. */
const VECTORS = [
  {
    key: "4562ac25f828176d4c268414b5680185 258e2a05e73e9d03ee5a830ccc094c87",
    index: "00000000000000000000000000000001",
    cipher: "f1b273cd65a3df5fe95d489254634eb8",
  },
  {
    key: "59704714f557478cd779e80f54887944 0d48f0b7b15a53ea1caa6b29c2cafbaf",
    index: "00000000000000000000000000000002",
    cipher: "00c82bae95bbcde5274f0769b260e136",
  },
  {
    key: "d82a9134b26a565030fe69e2377f9847 cdf90b160c648fb6b00d0d1bae85871f",
    index: "00000000000000000000000200000000",
    cipher: "76322183ed8ff182f9596203690e5e01",
  },
];

Deno.test("LRW gives the ciphertext of the vectors of IEEE P1619", () => {
  for (const { key, index, cipher } of VECTORS) {
    const [data, tweak] = key.split(" ").map(bytesOf) as [Uint8Array, Uint8Array];
    const mode = lrw(blockCipher("aes", data), tweak);
    const bytes = bytesOf(PLAIN);
    mode.encrypt({ bytes, sectorSize: 16, ivs: bytesOf(index) });
    assertEquals(hexOf(bytes), cipher);
    mode.decrypt({ bytes, sectorSize: 16, ivs: bytesOf(index) });
    assertEquals(hexOf(bytes), PLAIN);
  }
});

Deno.test("the index of each block of a sector is one more than that of the block before", () => {
  const key = bytesOf(VECTORS[0]?.key ?? "");
  const volume = sectorCipher({ cipher: "aes", mode: "lrw", ivGenerator: "benbi" }, key);
  const sectors = new Uint8Array(3 * 512).map((_, at) => at * 7);
  const plain = sectors.slice();
  // The carry of the index passes the lower 32 bits in the second sector.
  const first = 2n ** 27n - 2n;
  volume.encrypt(sectors, first);
  const one = lrw(blockCipher("aes", key.subarray(0, 16)), key.subarray(16));
  for (let block = 0; block < sectors.length / 16; block++) {
    const index = first * 32n + 1n + BigInt(block);
    const bytes = plain.slice(block * 16, block * 16 + 16);
    one.encrypt({ bytes, sectorSize: 16, ivs: bytesOf(index.toString(16).padStart(32, "0")) });
    assertEquals(hexOf(sectors.subarray(block * 16, block * 16 + 16)), hexOf(bytes), `${block}`);
  }
  volume.decrypt(sectors, first);
  assertEquals(sectors, plain);
});

Deno.test("a key for LRW is longer by one block", () => {
  assertEquals(volumeKeyLengths("aes", "lrw"), [32, 40, 48]);
  assertEquals(volumeKeyLengths("cast5", "lrw"), []);
});
