import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import {
  buildLuks1,
  decodeLuks1,
  header,
  HEADER_BYTES,
  keySlot,
  payloadStart,
  specOf,
} from "../../src/luks1/mod.ts";
import { edited, modelOf } from "./volumes.ts";

// Offsets as Figures 1 and 2 of the LUKS1 On-Disk Format Specification 1.2.3 give them.
Deno.test("the fields are where the specification says", () => {
  assertEquals(header.offsets, {
    magic: 0,
    version: 6,
    cipher_name: 8,
    cipher_mode: 40,
    hash_spec: 72,
    payload_offset: 104,
    key_bytes: 108,
    mk_digest: 112,
    mk_digest_salt: 132,
    mk_digest_iter: 164,
    uuid: 168,
  });
  assertEquals(header.size, 208);
  assertEquals(keySlot.offsets, {
    active: 0,
    iterations: 4,
    salt: 8,
    key_material_offset: 40,
    stripes: 44,
  });
  assertEquals(HEADER_BYTES, 592);
});

// As `qemu-img info` of 7.2.22 and 11.1.3 prints it for volumes that they made.
Deno.test("payloadStart() is where QEMU puts the payload for every length of key", () => {
  assertEquals([16, 24, 32, 48, 64].map((length) => 512 * payloadStart(length)), [
    528384,
    790528,
    1052672,
    1544192,
    2068480,
  ]);
});

Deno.test("decodeLuks1() accepts any bytes, and treats missing ones as zeros", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    const padded = new Uint8Array(600);
    padded.set(bytes);
    const decoded = decodeLuks1(new MemorySource(bytes));
    assertEquals(decoded, decodeLuks1(new MemorySource(padded)));
    assertEquals(decoded.slots.length, 8);
    specOf(decoded);
  }));
});

Deno.test("specOf() splits cipher_mode at its first '-' and the first ':' after that", () => {
  const { image } = buildLuks1(modelOf());
  const spec = (mode: string) => {
    const read = specOf(decodeLuks1(edited(image, { "/header/cipher_mode": mode })));
    return [read.mode, read.ivGenerator, read.ivHash];
  };
  assertEquals(spec("cbc-essiv:sha256"), ["cbc", "essiv", "sha256"]);
  assertEquals(spec("xts-plain64"), ["xts", "plain64", undefined]);
  assertEquals(spec("ecb"), ["ecb", undefined, undefined]);
  assertEquals(spec("cbc-plain64-x:sha1:y"), ["cbc", "plain64-x", "sha1:y"]);
  assertEquals(spec("a:b-c"), ["a:b", "c", undefined]);
  assertEquals(spec("cbc-plain\0-x"), ["cbc", "plain", undefined]);
});
