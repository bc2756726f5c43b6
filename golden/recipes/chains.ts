/** qcow2: backing chains and external data files. */
import { create, img, io, KIB, type Recipe } from "./recipe.ts";

const RAW_BASE = [
  create("base", "raw", { size: 64 * KIB }),
  io("base", "raw", "write -s verse 0 64k"),
];

const SMALL = { options: "cluster_size=4k", size: "64k" };

/**
 * qemu-img always stores a backing format. For an image without one, qemu-io changes the type of
 * that header extension to an unknown one.
 */
const CHAINS: readonly Recipe[] = [
  {
    name: "qcow2-on-raw-without-format",
    features: ["qcow2", "v3", "backing", "backing-raw", "backing-format-absent"],
    others: ["base"],
    commands: [
      ...RAW_BASE,
      create("disk", "qcow2", { ...SMALL, backing: "base", backingFormat: "raw" }),
      io("disk", "qcow2", "write -P 1 4k 4k"),
      io("disk", "raw", "write -P 0x11 112 4"),
    ],
  },
  {
    name: "qcow2-on-qcow2-without-format",
    features: ["qcow2", "v3", "backing", "backing-qcow2", "backing-format-absent"],
    others: ["base"],
    commands: [
      create("base", "qcow2", { size: 64 * KIB, options: "cluster_size=1k" }),
      io("base", "qcow2", "write -P 2 0 10k"),
      create("disk", "qcow2", { ...SMALL, backing: "base", backingFormat: "qcow2" }),
      io("disk", "qcow2", "write -P 1 4k 4k"),
      io("disk", "raw", "write -P 0x11 112 4"),
    ],
  },
  {
    name: "qcow2-v2-on-qcow-without-format",
    features: ["qcow2", "v2", "backing", "backing-qcow", "backing-format-absent"],
    others: ["base"],
    commands: [
      create("base", "qcow", { size: 64 * KIB }),
      io("base", "qcow", "write -c -s prose 0 4k", "write -P 2 32k 1k"),
      create("disk", "qcow2", {
        options: "compat=0.10,cluster_size=4k",
        backing: "base",
        backingFormat: "qcow",
      }),
      io("disk", "qcow2", "write -P 1 4k 512"),
      io("disk", "raw", "write -P 0x11 72 4"),
    ],
  },
  {
    name: "qcow2-on-qcow2-forced-raw",
    features: ["qcow2", "v3", "backing", "backing-raw"],
    others: ["base"],
    commands: [
      create("base", "qcow2", { size: 16 * KIB, options: "cluster_size=512" }),
      io("base", "qcow2", "write -P 2 0 4k"),
      create("disk", "qcow2", {
        options: "cluster_size=512",
        backing: "base",
        backingFormat: "raw",
      }),
      io("disk", "qcow2", "write -P 1 1k 512"),
    ],
  },
  {
    name: "qcow2-chain-of-five",
    features: ["qcow2", "v3", "v2", "backing", "backing-qcow2", "backing-qcow", "chain"],
    others: ["layer-3", "layer-2", "layer-1", "base"],
    commands: [
      ...RAW_BASE,
      create("layer-1", "qcow", { backing: "base", backingFormat: "raw", size: "48k" }),
      io("layer-1", "qcow", "write -P 1 2k 1k"),
      create("layer-2", "qcow2", {
        options: "compat=0.10,cluster_size=1k",
        backing: "layer-1",
        backingFormat: "qcow",
        size: "80k",
      }),
      io("layer-2", "qcow2", "write -P 2 4k 1k", "write -P 2 60k 1k"),
      create("layer-3", "qcow2", {
        options: "cluster_size=2k",
        backing: "layer-2",
        backingFormat: "qcow2",
        size: "32k",
      }),
      io("layer-3", "qcow2", "write -z 8k 4k", "write -c -s prose 16k 2k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "./layer-3",
        backingFormat: "qcow2",
        size: "100k",
      }),
      io("disk", "qcow2", "write -P 5 25k 512", "write -P 6 90k 1k"),
    ],
  },
  {
    name: "qcow2-backing-shorter-and-odd",
    features: ["qcow2", "v3", "backing", "backing-raw", "backing-shorter"],
    others: ["base"],
    commands: [
      create("base", "raw", { size: 5000 }),
      io("base", "raw", "write -P 0x31 0 5000"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "raw",
        size: "32k",
      }),
      io("disk", "qcow2", "write -P 1 20k 512"),
    ],
  },
  {
    name: "qcow2-backing-longer",
    features: ["qcow2", "v3", "backing", "backing-qcow2", "backing-longer"],
    others: ["base"],
    commands: [
      create("base", "qcow2", { options: "cluster_size=4k", size: "128k" }),
      io("base", "qcow2", "write -P 1 0 128k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "qcow2",
        size: "30k",
      }),
    ],
  },
  {
    name: "qcow2-middle-shorter-than-base",
    features: ["qcow2", "v3", "backing", "chain", "backing-shorter"],
    others: ["middle", "base"],
    commands: [
      create("base", "qcow2", { options: "cluster_size=4k", size: "80k" }),
      io("base", "qcow2", "write -P 1 0 80k"),
      create("middle", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "qcow2",
        size: "16k",
      }),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "middle",
        backingFormat: "qcow2",
        size: "48k",
      }),
      io("disk", "qcow2", "write -P 2 36k 4k"),
    ],
  },
  {
    name: "qcow2-backing-name-long",
    features: ["qcow2", "v3", "backing", "backing-raw", "backing-name"],
    others: ["a".repeat(200) + ".img"],
    commands: [
      create("a".repeat(200) + ".img", "raw", { size: "8k" }),
      io("a".repeat(200) + ".img", "raw", "write -P 1 0 3k"),
      create("disk", "qcow2", {
        options: "cluster_size=512",
        backing: "a".repeat(200) + ".img",
        backingFormat: "raw",
      }),
    ],
  },
  {
    name: "qcow2-backing-name-outside-ascii",
    features: ["qcow2", "v3", "backing", "backing-raw", "backing-name"],
    others: ["grün, 灰.img"],
    commands: [
      create("grün, 灰.img", "raw", { size: "8k" }),
      io("grün, 灰.img", "raw", "write -P 1 0 3k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "grün, 灰.img",
        backingFormat: "raw",
      }),
    ],
  },
  {
    name: "qcow2-backing-absent",
    features: ["qcow2", "v3", "backing", "refused"],
    commands: [
      img(
        ...["create", "-q", "-u", "-f", "qcow2", "-b", "missing", "-F", "qcow2"],
        ...["-o", "cluster_size=4k", "disk", "64k"],
      ),
    ],
  },
];

/** External data files. The image stores only the name of its data file, without a path. */
const DATA_FILES: readonly Recipe[] = ([
  ["data-file", "cluster_size=4k", ["write -P 1 4k 8k", "write -P 2 60k 512"]],
  ["data-file-zeroed", "cluster_size=4k", [
    "write -P 1 0 64k",
    "write -z 4k 8k",
    "write -z -u 20k 8k",
  ]],
  ["data-file-discarded", "cluster_size=4k", ["write -P 1 0 64k", "discard 4k 8k"]],
  ["data-file-cluster-512", "cluster_size=512", ["write -P 1 1k 8k", "write -z 3k 1k"]],
  ["data-file-cluster-64k", "cluster_size=64k", ["write -P 1 1k 8k", "write -z 3k 1k"]],
  ["data-file-extended-l2", "cluster_size=16k,extended_l2=on", [
    "write -P 1 512 2k",
    "write -z 8k 3k",
  ]],
  ["data-file-lazy-refcounts", "cluster_size=4k,lazy_refcounts=on", ["write -P 1 8k 8k"]],
  ["data-file-preallocated", "cluster_size=4k,preallocation=metadata", ["write -P 1 8k 8k"]],
  ["data-file-raw", "cluster_size=4k,data_file_raw=on", ["write -P 1 8k 8k"]],
  ["data-file-raw-zeroed", "cluster_size=4k,data_file_raw=on", [
    "write -P 1 0 32k",
    "write -z 4k 8k",
  ]],
  ["data-file-raw-discarded", "cluster_size=4k,data_file_raw=on", [
    "write -P 1 0 32k",
    "discard 4k 8k",
  ]],
  ["data-file-raw-extended-l2", "cluster_size=16k,extended_l2=on,data_file_raw=on", [
    "write -P 1 512 2k",
    "write -z 8k 3k",
  ]],
] as const).map(([name, options, commands]) => ({
  name: `qcow2-${name}`,
  features: [
    "qcow2",
    "v3",
    "data-file",
    ...(options.includes("raw=on") ? ["data-file-raw"] : []),
    ...(options.includes("extended") ? ["extended-l2"] : []),
  ],
  others: ["data"],
  commands: [
    create("disk", "qcow2", { options: `data_file=data,${options}`, size: 98 * KIB + 512 }),
    io("disk", "qcow2", ...commands),
  ],
}));

const DATA_FILE_ON_RAW: Recipe = {
  name: "qcow2-data-file-on-raw",
  features: ["qcow2", "v3", "data-file", "backing", "backing-raw"],
  others: ["data", "base"],
  commands: [
    ...RAW_BASE,
    create("disk", "qcow2", {
      options: "data_file=data,cluster_size=4k",
      backing: "base",
      backingFormat: "raw",
      size: 98 * KIB,
    }),
    io("disk", "qcow2", "write -P 1 5k 1k", "write -z 12k 4k", "write -P 2 80k 4k"),
  ],
};

export const CHAINED: readonly Recipe[] = [...CHAINS, ...DATA_FILES, DATA_FILE_ON_RAW];
