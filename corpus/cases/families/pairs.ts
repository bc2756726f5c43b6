/**
 * Images of encrypted disks. With the golden images of `golden/recipes/pairs.ts`, which are not
 * encrypted, they cover each pair of values of cluster size, width of refcounts, version, compression,
 * kind of L2 entry and encryption.
 */

import type { GuestCluster, LuksEncryption, Qcow2Model } from "../../../src/qcow2/mod.ts";
import { SECTOR } from "../../../src/bytes/mod.ts";
import type { SingleImage } from "../case.ts";
import { bytes } from "../edit.ts";
import { filledCluster } from "../known/parts.ts";
import { UUID } from "../luks1/models.ts";
import { small } from "../qcow2/models.ts";

const ROWS = `
v3 512 1 zlib standard aes
v3 1k 2 zstd standard aes
v3 4k 4 zlib standard aes
v3 16k 8 zstd extended aes
v2 64k 16 zlib standard aes
v3 256k 32 zlib extended aes
v3 2M 64 zstd standard aes
v3 512 2 zstd standard luks
v3 1k 4 zlib standard luks
v3 4k 8 zstd standard luks
v2 16k 16 zlib standard luks
v3 64k 32 zstd extended luks
v3 256k 64 zlib extended luks
v3 2M 1 zlib standard luks
`;

const CLUSTER_BITS: { readonly [size: string]: number } = {
  "512": 9,
  "1k": 10,
  "4k": 12,
  "16k": 14,
  "64k": 16,
  "256k": 18,
  "2M": 21,
};

const PASSPHRASE = "open sesame";

const luks: LuksEncryption = {
  kind: "luks",
  spec: { cipher: "aes", keyBytes: 32, mode: "xts", ivGenerator: "plain64", hash: "sha256" },
  seed: 1,
  uuid: UUID,
  digestIterations: 3,
  keys: [{ slot: 0, passphrase: PASSPHRASE, iterations: 2 }],
  erased: [],
  material: "sparse",
  gap: 0,
  spare: 0,
};

const packed: GuestCluster = {
  index: 1,
  kind: "compressed",
  pattern: { kind: "fill", seed: 5 },
  level: 6,
  gap: 0,
};

/** Four subclusters are allocated, and one is zeros. */
const subclusters: GuestCluster = {
  index: 0,
  kind: "subclusters",
  allocated: 0x80000007,
  zero: 0x8,
  reserved: true,
  pattern: { kind: "fill", seed: 3 },
};

/** The images. */
export const pairImages: readonly SingleImage[] = ROWS.trim().split("\n").map((row) => {
  const values = row.split(" ");
  return {
    name: `pairs.qcow2-${values.join("-")}`,
    shows: `an encrypted image: ${values.join(", ")}`,
    base: modelOf(values),
    // What zeros decrypt to is content as well, and the file has little noise.
    edits: [bytes("/data[0]", new Uint8Array(clusterSizeOf(values) - SECTOR), SECTOR)],
  };
});

/** The image with these values. */
export function pairImage(values: string): SingleImage {
  const image = pairImages.find(({ name }) => name === `pairs.qcow2-${values}`);
  if (image === undefined) throw new Error(`There is no image ${values}`);
  return image;
}

function clusterSizeOf([, size = ""]: readonly string[]): number {
  return 2 ** (CLUSTER_BITS[size] ?? 0);
}

function modelOf(values: readonly string[]): Qcow2Model {
  const [version, , bits, compression, l2, encryption] = values;
  const clusterSize = clusterSizeOf(values);
  return small({
    version: version === "v2" ? 2 : 3,
    ...version === "v2" ? { headerLength: 72 } : {},
    clusterBits: Math.log2(clusterSize),
    size: BigInt(8 * clusterSize),
    refcountOrder: Math.log2(Number(bits)),
    compression: compression === "zstd" ? "zstd" : "deflate",
    extendedL2: l2 === "extended",
    clusters: l2 === "extended" ? [subclusters, packed] : [filledCluster(0), packed],
    encryption: encryption === "luks" ? luks : { kind: "aes", passphrase: PASSPHRASE },
  });
}
