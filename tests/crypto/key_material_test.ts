import { SECTOR } from "../../src/bytes/mod.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  afMerge,
  cipherModes,
  cipherNames,
  cipherTable,
  KeptKeys,
  keyMaterial,
  keyOfMaterial,
  type MaterialKind,
  sectorCipher,
  volumeKeyLengths,
} from "../../src/crypto/mod.ts";

/** Bytes that go up by seven. */
function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 7 * i + 1);
}

/** Bytes that differ from call to call, so that stripes do. */
function noise(): (length: number) => Uint8Array {
  let seed = 1;
  return (length) => Uint8Array.from({ length }, () => (seed = (seed * 48271) % 0x7fffffff));
}

/** A key in a number of stripes, and what is done with its material. */
interface Case {
  readonly cipher: string;
  readonly mode: string;
  readonly keyBytes: number;
  readonly stripes: number;
}

function cipherOf({ cipher, mode, keyBytes }: Case) {
  const key = counting(keyBytes).reverse();
  return sectorCipher({ cipher, mode, ivGenerator: "plain64" }, key);
}

function materialOf(each: Case, kind?: MaterialKind): Uint8Array {
  const { keyBytes, stripes } = each;
  const cipher = cipherOf(each);
  return keyMaterial(counting(keyBytes), { stripes, hash: "sha1", cipher, random: noise(), kind });
}

/** What a reader finds, who knows nothing of how the material was made. */
function readFrom(material: Uint8Array, each: Case): Uint8Array {
  const plain = material.slice();
  cipherOf(each).decrypt(plain, 0n);
  return afMerge(
    plain.subarray(0, each.keyBytes * each.stripes),
    each.keyBytes,
    each.stripes,
    "sha1",
  );
}

/**
 * Stripes of a LUKS volume, one alone, and numbers of them that end inside a sector, behind its start
 * and in the middle of a stripe.
 */
const STRIPES = [4000, 1, 2, 11, 17, 32, 33, 64];

const cases: Case[] = cipherNames.flatMap((cipher) =>
  cipherModes.flatMap((mode) =>
    volumeKeyLengths(cipher, mode).flatMap((keyBytes) =>
      // 4000 stripes take their time: they are left out of the modes that have nothing of their own.
      STRIPES.filter((stripes) =>
        stripes < 100 || mode === "xts" || keyBytes === 24 || mode === "ofb"
      )
        .map((stripes) => ({ cipher, mode, keyBytes, stripes }))
    )
  )
);

function nameOf({ cipher, mode, keyBytes, stripes }: Case): string {
  return `${cipher} in ${mode}, ${stripes} stripes of ${keyBytes} bytes`;
}

Deno.test("the cases of key material have stripes that span two sectors, and ends at all offsets", () => {
  const ends = cases.map(({ keyBytes, stripes }) => {
    const end = (keyBytes * stripes) % SECTOR;
    return end === 0 ? "whole" : end < keyBytes && stripes > 1 ? "two sectors" : "inside";
  });
  assertEquals(new Set(ends), new Set(["whole", "two sectors", "inside"]));
});

Deno.test("keyMaterial() returns material that gives its key back, with any options", () => {
  for (const each of cases) {
    for (const kind of ["noise", "sparse", undefined] as const) {
      const material = materialOf(each, kind);
      assertEquals(material.length, Math.ceil((each.keyBytes * each.stripes) / SECTOR) * SECTOR);
      assertEquals(readFrom(material, each), counting(each.keyBytes), `${kind}: ${nameOf(each)}`);
    }
  }
});

Deno.test("keyMaterial() returns noise unless sparse material is requested", () => {
  for (const each of cases.slice(0, 20)) {
    assertEquals(materialOf(each), materialOf(each, "noise"), nameOf(each));
  }
});

Deno.test("sparse key material is zero except for the blocks of the last stripe", () => {
  for (const each of cases) {
    const { keyBytes, stripes, cipher } = each;
    const material = materialOf(each, "sparse");
    const block = cipherTable[cipher]?.blockSize ?? 0;
    const first = Math.floor((keyBytes * (stripes - 1)) / block) * block;
    const end = Math.ceil((keyBytes * stripes) / 16) * 16;
    const others = [...material.subarray(0, first), ...material.subarray(end)];
    assert(others.every((byte) => byte === 0), nameOf(each));
    assert(material.subarray(first, end).some((byte) => byte !== 0), nameOf(each));
  }
});

Deno.test("sparse key material needs no random bytes, and every sector of it counts", () => {
  const each = { cipher: "aes", mode: "cbc", keyBytes: 24, stripes: 4000 };
  const random = () => {
    throw new Error("Random bytes were requested");
  };
  const options = { stripes: each.stripes, hash: "sha1", cipher: cipherOf(each), random };
  const material = keyMaterial(counting(24), { ...options, kind: "sparse" });
  for (const at of [0, 511, 512, 50_000, 95_975, 95_999]) {
    const changed = material.with(at, 1 ^ (material[at] ?? 0));
    assert(readFrom(changed, each).toHex() !== counting(24).toHex(), `byte ${at}`);
  }
  const beyond = material.with(96_000, 1);
  assertEquals(readFrom(beyond, each), counting(24));
});

Deno.test("keyMaterial() rejects unusable sizes and hashes", () => {
  const cipher = cipherOf({ cipher: "aes", mode: "ecb", keyBytes: 16, stripes: 4 });
  for (const kind of ["noise", "sparse"] as const) {
    const options = { stripes: 4, hash: "sha1", cipher, random: noise(), kind };
    const refused: [Uint8Array, typeof options][] = [
      [counting(0), options],
      [counting(16), { ...options, stripes: 0 }],
      [counting(16), { ...options, hash: "no" }],
    ];
    for (const [key, unusable] of refused) {
      assertThrows(() => keyMaterial(key, unusable), RangeError, "Cannot use");
    }
  }
});

Deno.test("keyOfMaterial() derives a key once if all that it follows from is the same", () => {
  const each = { cipher: "aes", mode: "xts", keyBytes: 32, stripes: 8 };
  const material = materialOf(each);
  const keys = new KeptKeys(16);
  let derived = 0;
  const keyOf = (change: { salt?: number; passphrase?: number; fact?: string; byte?: number }) =>
    keyOfMaterial(each.keyBytes, {
      ...{ stripes: each.stripes, hash: "sha1" },
      cipher: () => {
        derived++;
        return cipherOf(each);
      },
      kept: {
        keys,
        from: {
          facts: [change.fact ?? "xts"],
          salt: Uint8Array.of(change.salt ?? 0),
          passphrase: Uint8Array.of(change.passphrase ?? 0),
        },
      },
      read: (target) => {
        target.set(material);
        target[9] = (target[9] ?? 0) ^ (change.byte ?? 0);
      },
    });
  const first = keyOf({});
  first.fill(0);
  assertEquals(keyOf({}), counting(each.keyBytes));
  assertEquals(derived, 1);
  for (const change of [{ salt: 1 }, { passphrase: 1 }, { fact: "cbc" }]) keyOf(change);
  assertEquals(derived, 4);
  assert(keyOf({ byte: 1 }).some((byte, at) => byte !== counting(each.keyBytes)[at]));
  assertEquals(derived, 5);
});
