/** qcow2: cluster sizes, virtual sizes, preallocation. */
import { create, GIB, img, io, KIB, MIB, type Recipe, TIB } from "./recipe.ts";

/** The cluster sizes that the pairs do not cover. */
const CLUSTERS: readonly Recipe[] = ["2k", "8k", "32k", "128k", "512k", "1M"].map((cluster) => ({
  name: `qcow2-cluster-${cluster}`,
  features: ["qcow2", "v3", `cluster-${cluster}`, "data", "zero", "compressed"],
  commands: [
    create("disk", "qcow2", { options: `cluster_size=${cluster}`, size: "5M" }),
    io(
      "disk",
      "qcow2",
      "write -P 1 1536 3k",
      // One cluster per command: qemu-io places several clusters in a random order.
      `write -c -s verse 2M ${cluster}`,
      `write -c -P 3 4M ${cluster}`,
      "write -z 1M 1M",
      "write -P 2 3M 512",
    ),
  ],
}));

/** Virtual sizes at and around the boundaries of a cluster and of an L2 table. */
const SIZES: readonly Recipe[] = ([
  ["qcow2-size-0", "cluster_size=64k", 0, []],
  ["qcow2-size-512", "cluster_size=64k", 512, ["write -P 1 0 512"]],
  ["qcow2-size-1000", "cluster_size=64k", 1000, ["write -P 1 0 1000"]],
  ["qcow2-size-one-cluster", "cluster_size=4k", 4 * KIB, ["write -P 1 0 4k"]],
  ["qcow2-size-one-cluster-and-a-sector", "cluster_size=4k", 4 * KIB + 512, ["write -P 1 4k 512"]],
  ["qcow2-size-one-l2-table", "cluster_size=512", 32 * KIB, ["write -P 1 31k 1k"]],
  ["qcow2-size-one-l2-table-and-a-sector", "cluster_size=512", 32 * KIB + 512, [
    "write -P 1 31k 1k",
    "write -P 2 32k 512",
  ]],
  ["qcow2-last-cluster-compressed", "cluster_size=16k", 40 * KIB, [
    "write -c -s prose 16k 16k",
    "write -c -s prose 32k 8k",
  ]],
  ["qcow2-v2-size-512", "compat=0.10,cluster_size=512", 512, ["write -P 1 0 512"]],
  ["qcow2-v2-size-odd", "compat=0.10,cluster_size=1k", 70 * KIB + 512, ["write -P 1 65k 5632"]],
] as const).map(([name, options, size, commands]) => ({
  name,
  features: ["qcow2", options.startsWith("compat=0.10") ? "v2" : "v3", "size"],
  commands: [
    create("disk", "qcow2", { options, size }),
    ...(commands.length === 0 ? [] : [io("disk", "qcow2", ...commands)]),
  ],
}));

/** Virtual sizes that are too large to be read completely. */
const HUGE: readonly Recipe[] = ([
  ["qcow2-64t", "cluster_size=64k", 64 * TIB, "map"],
  ["qcow2-1p-cluster-2m", "cluster_size=2M", 1024 * TIB, "map"],
  ["qcow2-2-to-52-cluster-2m", "cluster_size=2M", 2 ** 52, "map"],
  ["qcow2-2-to-58-cluster-2m", "cluster_size=2M", 2 ** 58, "no map"],
  ["qcow2-2-to-61-cluster-2m", "cluster_size=2M", 2 ** 61, "no map"],
  ["qcow2-2-to-51-cluster-2m-extended-l2", "cluster_size=2M,extended_l2=on", 2 ** 51, "map"],
  ["qcow2-8g-cluster-512", "cluster_size=512", 8 * GIB, "map"],
  ["qcow2-v2-2t", "compat=0.10,cluster_size=64k", 2 * TIB, "map"],
] as const).map(([name, options, size, map]) => ({
  name,
  features: ["qcow2", options.startsWith("compat=0.10") ? "v2" : "v3", "huge", "sparse"],
  ...(map === "map" ? {} : { withoutMap: true }),
  ranges: [0, size / 2, size - 64 * KIB].map((start) => ({ start, length: 64 * KIB })),
  commands: [
    create("disk", "qcow2", { options, size: BigInt(size) }),
    io(
      "disk",
      "qcow2",
      "write -P 1 512 1k",
      `write -P 2 ${BigInt(size) / 2n} 4k`,
      `write -P 3 ${BigInt(size) - 512n} 512`,
    ),
  ],
}));

const PREALLOCATION: readonly Recipe[] = [
  ["metadata", "cluster_size=4k", "write -P 1 8k 6k"],
  ["falloc", "cluster_size=4k", "write -P 1 8k 6k"],
  ["full", "cluster_size=4k", "write -P 1 8k 6k"],
  ["metadata", "compat=0.10,cluster_size=1k", "write -P 1 8k 6k"],
  ["metadata", "cluster_size=512,refcount_bits=1", "write -P 1 8k 6k"],
  ["metadata", "cluster_size=16k,extended_l2=on", "write -P 1 8k 6k"],
  ["full", "cluster_size=64k,lazy_refcounts=on", "write -z 64k 64k"],
].map(([mode, options, command], index) => ({
  name: `qcow2-preallocation-${mode}-${index + 1}`,
  features: [
    "qcow2",
    options?.startsWith("compat=0.10") ? "v2" : "v3",
    "preallocation",
    mode as string,
  ],
  commands: [
    create("disk", "qcow2", { options: `${options},preallocation=${mode}`, size: 200 * KIB }),
    io("disk", "qcow2", command as string),
  ],
}));

/** Refcount blocks and tables beyond the first. */
const REFCOUNTS: readonly Recipe[] = [
  {
    name: "qcow2-several-refcount-blocks",
    features: ["qcow2", "v3", "cluster-512", "refcount-64", "refcount-blocks"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512,refcount_bits=64", size: MIB }),
      io("disk", "qcow2", "write -P 1 0 128k"),
    ],
  },
  {
    name: "qcow2-refcount-table-moved",
    features: ["qcow2", "v3", "cluster-512", "refcount-64", "refcount-blocks", "refcount-table"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512,refcount_bits=64", size: 3 * MIB }),
      io("disk", "qcow2", "write -P 1 0 2560k"),
    ],
  },
  {
    name: "qcow2-refcount-bits-16-amended-from-1",
    features: ["qcow2", "v3", "refcount-16", "amend"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k,refcount_bits=1", size: 256 * KIB }),
      io("disk", "qcow2", "write -P 1 0 40k"),
      img("amend", "-f", "qcow2", "-o", "refcount_bits=16", "disk"),
    ],
  },
];

export const GEOMETRY: readonly Recipe[] = [
  ...CLUSTERS,
  ...SIZES,
  ...HUGE,
  ...PREALLOCATION,
  ...REFCOUNTS,
];
