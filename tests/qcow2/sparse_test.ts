import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { LuksEncryption, Qcow2Model } from "../../src/qcow2/model.ts";
import { assertQemuReads } from "../fuzz/generate/chains_live.ts";
import { data, plain } from "./built_parts.ts";
import { luks } from "./encrypted_models.ts";
import { liveTest, QEMU } from "../live.ts";

const encryptions: Readonly<Record<string, LuksEncryption>> = {
  "one key": { ...luks, material: "sparse" },
  "several keys and an erased one": {
    ...luks,
    spec: { cipher: "serpent", keyBytes: 64, mode: "xts", ivGenerator: "plain64", hash: "sha1" },
    keys: [
      { slot: 1, passphrase: "one", iterations: 1 },
      { slot: 7, passphrase: "seven", iterations: 2 },
    ],
    erased: [0],
    material: "sparse",
  },
};

function modelOf(encryption: LuksEncryption): Qcow2Model {
  return { ...plain, clusterBits: 12, size: 16_384n, clusters: [data(1)], encryption };
}

function bytesOf(model: Qcow2Model): Uint8Array {
  const { segments, size } = buildQcow2(model).image;
  const bytes = new Uint8Array(size);
  for (const segment of segments) bytes.set(segment.bytes, segment.offset);
  return bytes;
}

/** What gzip may need for each kilobyte of zeros, and for all of the metadata. */
const PER_KIB = 1.1;
const REST = 2048;

for (const [name, encryption] of Object.entries(encryptions)) {
  Deno.test(`normaliseQcow2() does not change sparse key material: ${name}`, () => {
    const model = modelOf(encryption);
    assertEquals(normaliseQcow2(model), model);
    const noise = normaliseQcow2({ ...model, encryption: { ...encryption, material: "noise" } });
    const { material: _, ...usual } = encryption;
    assertEquals(noise.encryption, usual);
  });

  Deno.test(`an image with sparse key material compresses, except for its content: ${name}`, () => {
    const bytes = bytesOf(modelOf(encryption));
    const packed = gzipSync(bytes, { level: 9 }).length;
    const cluster = 4096;
    assert(packed < REST + cluster + PER_KIB * (bytes.length / 1024), `${packed} bytes`);
  });

  liveTest(
    { needs: QEMU },
    `qemu-img reads an image with sparse key material: ${name}`,
    async (directory) => {
      await assertQemuReads([modelOf(encryption)], directory);
    },
  );
}
