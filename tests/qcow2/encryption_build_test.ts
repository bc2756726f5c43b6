import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type ByteSource, MemorySource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import { decode } from "../../src/layout/mod.ts";
import { decodeLuks1 } from "../../src/luks1/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { EncryptionModel, Qcow2Model } from "../../src/qcow2/model.ts";
import { encryptionPointer } from "../../src/qcow2/structures.ts";
import { assertQemuReads } from "../fuzz/generate/chains_live.ts";
import { data, plain, text } from "./built_parts.ts";
import { aes, encryptedModels, luks } from "./encrypted_models.ts";
import { liveTest, QEMU } from "../live.ts";

Deno.test("normaliseQcow2() does not change any encrypted model of the collection", () => {
  for (const [name, model] of Object.entries(encryptedModels)) {
    assertEquals(normaliseQcow2(model), model, name);
  }
});

for (const [name, model] of Object.entries(encryptedModels)) {
  liveTest(
    { needs: QEMU },
    `buildQcow2() builds an image that qemu-img opens: ${name}`,
    async (directory) => {
      await assertQemuReads([model], directory);
    },
  );
}

function encryptionAfter(encryption: EncryptionModel): EncryptionModel | undefined {
  return normaliseQcow2({ ...plain, encryption }).encryption;
}

Deno.test("normaliseQcow2() makes an encryption that can be built", () => {
  const sound = encryptionAfter({
    ...luks,
    spec: { cipher: "rot13", keyBytes: 16, mode: "cbc", hash: "sha256" },
    keys: [
      { slot: 9, passphrase: "a\0b\ud800", iterations: 0 },
      { slot: 7, passphrase: "another", iterations: 3 },
    ],
    erased: [7, 3],
    gap: -1,
    spare: 1e9,
  });
  assertEquals(sound, {
    ...luks,
    keys: [{ slot: 7, passphrase: "ab\ufffd", iterations: 1 }],
    erased: [3],
    spare: 65_536,
  });
  assertEquals(encryptionAfter({ ...luks, keys: [] }), {
    ...luks,
    keys: [{ slot: 0, passphrase: "", iterations: 1 }],
  });
  assertEquals(encryptionAfter({ kind: "aes", passphrase: "a\0b" }), {
    kind: "aes",
    passphrase: "ab",
  });
});

Deno.test("buildQcow2() gives the same bytes for an encrypted model every time", () => {
  for (const [name, model] of Object.entries(encryptedModels)) {
    assertEquals(buildQcow2(model), buildQcow2(structuredClone(model)), name);
  }
});

Deno.test("buildQcow2() writes encrypted images inside the file without overlaps", () => {
  for (const [name, model] of Object.entries(encryptedModels)) {
    const { image } = buildQcow2(model);
    let end = 0;
    for (const { offset, bytes } of new SegmentSource(image.segments, image.size).segments) {
      assert(offset >= end, `${name}: two segments at ${offset}`);
      end = offset + bytes.length;
    }
    assert(end <= image.size, `${name}: a segment ends at ${end} of ${image.size}`);
    const paths = image.placed.map(({ path }) => path);
    assertEquals(new Set(paths).size, paths.length, name);
    assert(image.placed.every(({ offset, length }) => offset + length <= image.size), name);
  }
});

function sourceOf({ segments, size }: BuiltImage): ByteSource {
  return new SegmentSource(segments, size);
}

function at({ placed }: BuiltImage, path: string): Placed {
  const found = placed.find((place) => place.path === path);
  assert(found !== undefined, `nothing is placed at ${path}`);
  return found;
}

function bytesAt(model: Qcow2Model, path: string): Uint8Array {
  const { image } = buildQcow2(normaliseQcow2(model));
  const { offset, length } = at(image, path);
  return sourceOf(image).read(offset, length);
}

Deno.test("buildQcow2() places a LUKS header where its pointers say", () => {
  const model = encryptedModels["another order, with LUKS and several keys"] as Qcow2Model;
  const { image } = buildQcow2(model);
  const source = sourceOf(image);
  const pointer = at(image, "/encryption_header_pointer");
  const area = at(image, "/encryption_header");
  const { offset, length } = decode(encryptionPointer, source.read(pointer.offset, pointer.length));
  assertEquals(offset, BigInt(area.offset));
  assertEquals(length, BigInt(area.length));
  assertEquals(area.offset % 4096, 0);
  assertEquals(at(image, "/luks/header").offset, area.offset);
  const head = at(image, "/luks/header");
  const slots = at(image, "/luks/key_slots");
  assertEquals(slots.offset, head.offset + head.length);
  const luksHeader = decodeLuks1(new MemorySource(source.read(area.offset, area.length)));
  assertEquals(luksHeader.payload_offset * 512 + 700, area.length);
  luksHeader.slots.forEach(({ key_material_offset }, slot) => {
    const material = at(image, `/luks/key_material[${slot}]`);
    assertEquals(key_material_offset * 512, material.offset - area.offset);
    const stored = source.read(material.offset, material.length).some((byte) => byte !== 0);
    assertEquals(stored, [0, 1, 6, 7].includes(slot), `slot ${slot}`);
  });
});

Deno.test("buildQcow2() counts sectors of the disk for AES, and of the file for LUKS", () => {
  const clusters = [data(5)];
  const placement = { ...plain.placement, holes: [1] };
  const moved = (encryption: EncryptionModel): Uint8Array[] =>
    [plain.placement, placement].map((place) =>
      bytesAt({ ...plain, clusters, encryption, placement: place }, "/data[5]")
    );
  const [here, there] = moved(aes);
  assertEquals(here, there);
  const [before, after] = moved(luks);
  assertNotEquals(before, after);
});

Deno.test("buildQcow2() does not encrypt compressed clusters", () => {
  const clear = bytesAt({ ...plain, clusters: [text(1)] }, "/compressed[1]");
  for (const encryption of [aes, luks]) {
    const encrypted = bytesAt({ ...plain, clusters: [text(1)], encryption }, "/compressed[1]");
    assertEquals(encrypted, clear);
  }
});

Deno.test("buildQcow2() stores an encrypted cluster of zeros", () => {
  const zeros = { index: 1, kind: "data", pattern: { kind: "zero", seed: 0 } } as const;
  for (const encryption of [aes, luks]) {
    const stored = bytesAt({ ...plain, clusters: [zeros], encryption }, "/data[1]");
    assert(stored.some((byte) => byte !== 0));
  }
});

/**
 * The first bytes of what qemu-img 7.2.22 makes with `encrypt.format=luks`, `encrypt.cipher-alg=aes-128`,
 * `encrypt.cipher-mode=cbc`, `cluster_size=4k` and a size of 1 MiB; and the length of its file.
 */
const BY_QEMU = [
  "514649fb000000030000000000000000",
  "000000000000000c0000000000100000",
  "00000002000000010000000000003000",
  "00000000000010000000000100000000",
  "00000000000000000000000000000000",
  "00000000000000000000000000000000",
  "00000004000000700000000000000000",
  "0537be77000000100000000000004000",
  "00000000000810000000000000000000",
].join("");
const SIZE_BY_QEMU = 544_768;

Deno.test("buildQcow2() writes the header that QEMU writes, and puts the LUKS header where QEMU does", () => {
  const model = normaliseQcow2({ ...plain, clusterBits: 12, size: 1n << 20n, encryption: luks });
  const { image } = buildQcow2(model);
  const written = sourceOf(image).read(0, BY_QEMU.length / 2);
  assertEquals(written.toHex(), BY_QEMU);
  assertEquals(image.size, SIZE_BY_QEMU);
});
