import { assert, assertEquals } from "@std/assert";
import { buildQcow1, normaliseQcow1, type Qcow1Model } from "../../src/qcow1/mod.ts";
import { assertQemuReads } from "../fuzz/generate/chains_live.ts";
import { AS_QEMU, fieldOf, modelOf, placeOf, sourceOf } from "./images.ts";
import { liveTest, QEMU } from "../live.ts";

const encryption = { kind: "aes", passphrase: "pässwörd, and more" } as const;

/** Clusters of every kind, the last of them behind the end of the disk. */
const clusters: Qcow1Model["clusters"] = [
  { index: 0, kind: "data", pattern: { kind: "text", seed: 1 } },
  { index: 1, kind: "compressed", pattern: { kind: "fill", seed: 7 }, ...AS_QEMU },
  { index: 2, kind: "compressed", pattern: { kind: "noise", seed: 7 }, ...AS_QEMU },
  { index: 4, kind: "data", pattern: { kind: "zero", seed: 0 } },
  { index: 600, kind: "data", pattern: { kind: "ramp", seed: 3 } },
  { index: 700, kind: "data", pattern: { kind: "text", seed: 3 } },
];

const model = modelOf({ clusters, size: 2_460_000n, encryption });

const models: Readonly<Record<string, Qcow1Model>> = {
  "every kind of cluster": model,
  "an empty passphrase": modelOf({ encryption: { kind: "aes", passphrase: "" } }),
  "a passphrase of 16 bytes": modelOf({
    encryption: { kind: "aes", passphrase: "0123456789abcdef" },
  }),
  "another order, off every boundary": modelOf({
    clusters,
    size: 2_460_000n,
    encryption,
    placement: { seed: 5, holes: [1, 0, 3], l1Skew: 3, l2Skews: [5], clusterSkews: [1, 7] },
  }),
  "a file that ends where its bytes do": modelOf({ encryption, placement: { cutTail: true } }),
};

for (const [name, encrypted] of Object.entries(models)) {
  liveTest(
    { needs: QEMU },
    `buildQcow1() builds what qemu-img decrypts for ${name}`,
    async (directory) => {
      await assertQemuReads([encrypted], directory);
    },
  );
}

Deno.test("buildQcow1() says that an image is encrypted", () => {
  assertEquals(fieldOf(buildQcow1(model), "/header/crypt_method"), 1n);
  assertEquals(fieldOf(buildQcow1(modelOf()), "/header/crypt_method"), 0n);
});

Deno.test("buildQcow1() encrypts data after the end of the disk, and nothing compressed", () => {
  const { encryption: _, ...plain } = model;
  const bytesAt = (of: Qcow1Model, path: string): Uint8Array => {
    const built = buildQcow1(of);
    const { offset, length } = placeOf(built, path);
    return sourceOf(built).read(offset, length);
  };
  const differs = (path: string): boolean => {
    const clear = bytesAt(plain, path);
    return bytesAt(model, path).some((byte, index) => byte !== clear[index]);
  };
  assert(differs("/data[0]"));
  assert(!differs("/data[1]"), "compressed");
  assert(differs("/data[2]"), "to be compressed, but stored as it is");
  assert(differs("/data[4]"), "zeros");
  assert(differs("/data[700]"), "behind the end");
});

Deno.test("normaliseQcow1() leaves encrypted models alone, and ends no passphrase with a NUL", () => {
  for (const [name, sound] of Object.entries(models)) {
    assertEquals(normaliseQcow1(sound), sound, name);
  }
  const passphrase = "a\0b\ud800";
  const { encryption: changed } = normaliseQcow1({
    ...model,
    encryption: { kind: "aes", passphrase },
  });
  assertEquals(changed, { kind: "aes", passphrase: "ab\ufffd" });
});
