import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import {
  applyEdits,
  type Edit,
  editDraws,
  interestingValues,
  resolveDraws,
} from "../../../fuzz/mutate/mod.ts";
import { luksTexts } from "../../../fuzz/formats/luks1/texts.ts";
import { isEncryption } from "../../../fuzz/formats/qcow2/encryption.ts";
import { MemorySource } from "../../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../../src/format/mod.ts";
import { fieldOf } from "../../../src/layout/mod.ts";
import {
  buildLuks1,
  decodeLuks1,
  header,
  keySlot,
  type Luks1Header,
} from "../../../src/luks1/mod.ts";
import { buildQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../../src/qcow2/model.ts";
import { modelOf } from "../../luks1/volumes.ts";
import { encryptedModels } from "../../qcow2/encrypted_models.ts";
import { plain } from "../../qcow2/built_parts.ts";

const embedded: BuiltImage =
  buildQcow2(encryptedModels["another order, with LUKS and several keys"] as Qcow2Model).image;
const alone: BuiltImage = buildLuks1(modelOf()).image;

function placeOf(image: BuiltImage, path: string): Placed {
  const found = image.placed.find((place) => place.path === path);
  assert(found !== undefined, `nothing is placed at ${path}`);
  return found;
}

/** The LUKS header of an image after edits. */
function headerAfter(image: BuiltImage, edits: readonly Edit[]): Luks1Header {
  const start = image === embedded ? placeOf(image, "/luks/header").offset : 0;
  return decodeLuks1(new MemorySource(applyEdits(image, edits).read(start, 592)));
}

/** Bytes as text, a character each. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

Deno.test("a text field is given a text and bytes behind it, cut to its width", () => {
  const cases: [text: string, fill: number, found: string][] = [
    ["xts-plain64", 0, "xts-plain64".padEnd(32, "\0")],
    ["cbc", 0x20, "cbc".padEnd(32, " ")],
    ["é", 0, "\xc3\xa9".padEnd(32, "\0")],
    ["a".repeat(33), 0, "a".repeat(32)],
  ];
  for (const [text, fill, found] of cases) {
    const inside: Edit = { op: "text", path: "/luks/header/cipher_mode", text, fill };
    assertEquals(latin1(headerAfter(embedded, [inside]).cipher_mode), found);
    const outside: Edit = { op: "text", path: "/header/cipher_mode", text, fill };
    assertEquals(latin1(headerAfter(alone, [outside]).cipher_mode), found);
  }
});

Deno.test("a field that counts sectors is made to point at a place from where its header starts", () => {
  const inside: Edit = {
    op: "point",
    path: "/luks/key_slots/0/key_material_offset",
    at: "/luks/key_material[3]",
    delta: 0,
  };
  const slots = headerAfter(embedded, [inside]).slots;
  assertEquals(slots[0]?.key_material_offset, slots[3]?.key_material_offset);
  const outside: Edit = {
    ...inside,
    path: "/key_slots/0/key_material_offset",
    at: "/key_material[3]",
  };
  const others = headerAfter(alone, [outside]).slots;
  assertEquals(others[0]?.key_material_offset, others[3]?.key_material_offset);
  const before = headerAfter(alone, [{ ...outside, delta: -1 }]).slots;
  const third = others[3]?.key_material_offset as number;
  assertEquals(before[0]?.key_material_offset, third - 1);
});

Deno.test("interestingValues() has the states of a key slot, both sides of 4000 stripes, and the file's end in sectors", () => {
  const around = { fileSize: 1_048_576, clusterSize: 4096, value: 0n };
  const states = interestingValues(fieldOf(keySlot, "active"), around);
  for (const state of [0x0000deadn, 0x00ac71f3n, 0x00ac71f4n]) assert(states.includes(state));
  const stripes = interestingValues(fieldOf(keySlot, "stripes"), around);
  for (const count of [3999n, 4000n, 4001n]) assert(stripes.includes(count));
  const payload = interestingValues(fieldOf(header, "payload_offset"), around);
  for (const sector of [2048n, 2047n, 2056n]) assert(payload.includes(sector), `${sector}`);
});

Deno.test("luksTexts() has existing names, and near misses", () => {
  const names = (field: Parameters<typeof fieldOf<typeof header>>[1]): readonly string[] =>
    luksTexts(fieldOf(header, field));
  for (const text of ["aes", "serpent", "AES", ""]) assert(names("cipher_name").includes(text));
  for (const text of ["xts-plain64", "cbc-essiv:sha256", "cbc", "cbc-essiv", "lrw-benbi"]) {
    assert(names("cipher_mode").includes(text), text);
  }
  for (const text of ["sha256", "sm3", "whirlpool", "crc32"]) {
    assert(names("hash_spec").includes(text), text);
  }
  assertEquals(names("mk_digest"), []);
  assertEquals(names("key_bytes"), []);
});

/** What the kits of LUKS and qcow2 resolve draws with. */
const options = { dictionary: { texts: luksTexts }, favourite: isEncryption };

/** What draws hit of an image, by the first parts of its path and of the field. */
function hits(image: BuiltImage, count: number): Set<string> {
  const found = new Set<string>();
  for (const draw of fc.sample(editDraws(), { numRuns: count, seed: 1 })) {
    for (const edit of resolveDraws(image, [draw], { unit: 4096, ...options })) {
      if ("path" in edit) found.add(edit.path.replace(/\/\d+\//, "/*/").replace(/\[\d+\]/, ""));
    }
  }
  return found;
}

Deno.test("draws hit every part of a LUKS header inside an image, and the pointers to it", () => {
  const found = hits(embedded, 6000);
  const missed = [
    ...["offset", "length"].map((name) => `/encryption_header_pointer/${name}`),
    ...["cipher_name", "cipher_mode", "hash_spec", "uuid"].map((name) => `/luks/header/${name}`),
    ...["version", "payload_offset", "key_bytes", "mk_digest_iter"]
      .map((name) => `/luks/header/${name}`),
    ...["active", "iterations", "key_material_offset", "stripes"]
      .map((name) => `/luks/key_slots/*/${name}`),
    "/luks/key_material",
    "/encryption_header",
  ].filter((path) => !found.has(path));
  assertEquals(missed, []);
});

Deno.test("draws hit every part of a stand-alone volume", () => {
  const found = hits(alone, 3000);
  const missed = [
    ...["cipher_name", "cipher_mode", "hash_spec", "uuid", "payload_offset", "key_bytes"]
      .map((name) => `/header/${name}`),
    ...["active", "iterations", "key_material_offset", "stripes"]
      .map((name) => `/key_slots/*/${name}`),
    "/key_material",
    "/payload",
  ].filter((path) => !found.has(path));
  assertEquals(missed, []);
});

Deno.test("draws of a text give other edits of an image without a LUKS header", () => {
  const { image } = buildQcow2(plain);
  const draws = fc.sample(editDraws(), { numRuns: 500, seed: 2 })
    .filter(({ sort }) => sort === "text");
  assert(draws.length > 10);
  for (const draw of draws) {
    const [edit] = resolveDraws(image, [draw], { unit: 512, ...options });
    assert(edit !== undefined && edit.op !== "text");
  }
});
