/** qcow2: internal snapshots and persistent bitmaps. */
import { type Command, crash, create, img, io, KIB, type Recipe } from "./recipe.ts";

function snapshot(verb: "-c" | "-a" | "-d", name: string): Command {
  return img("snapshot", verb, name, "disk");
}

const SNAPSHOTS: readonly Recipe[] = [
  ...(["v3", "v2"] as const).map((version): Recipe => ({
    name: `qcow2-${version}-snapshots-two`,
    features: ["qcow2", version, "snapshots"],
    snapshots: ["one", "two"],
    commands: [
      create("disk", "qcow2", {
        options: `compat=${version === "v2" ? "0.10" : "1.1"},cluster_size=4k`,
        size: "128k",
      }),
      io("disk", "qcow2", "write -P 1 0 20k"),
      snapshot("-c", "one"),
      io("disk", "qcow2", "write -P 2 4k 4k", "write -P 3 64k 4k"),
      snapshot("-c", "two"),
      io("disk", "qcow2", "write -P 4 0 1k"),
    ],
  })),
  {
    name: "qcow2-snapshot-unchanged",
    features: ["qcow2", "v3", "snapshots", "refcount-2"],
    snapshots: ["only"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512,refcount_bits=2", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 3k", "write -P 2 40k 1k"),
      snapshot("-c", "only"),
    ],
  },
  {
    name: "qcow2-snapshots-refcount-full",
    features: ["qcow2", "v3", "snapshots", "refcount-2", "refcount-maximum"],
    snapshots: ["a", "b"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=1k,refcount_bits=2", size: "32k" }),
      io("disk", "qcow2", "write -P 1 0 4k"),
      snapshot("-c", "a"),
      snapshot("-c", "b"),
      { ...snapshot("-c", "c"), ends: 1 },
    ],
  },
  {
    name: "qcow2-snapshots-grown-and-shrunk",
    features: ["qcow2", "v3", "snapshots", "resize"],
    snapshots: ["small", "large"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 64k"),
      snapshot("-c", "small"),
      img("resize", "-q", "-f", "qcow2", "disk", "160k"),
      io("disk", "qcow2", "write -P 2 100k 8k"),
      snapshot("-c", "large"),
      img("resize", "-q", "-f", "qcow2", "--shrink", "disk", "32k"),
    ],
  },
  {
    name: "qcow2-snapshot-deleted",
    features: ["qcow2", "v3", "snapshots"],
    snapshots: ["two", "three"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 8k"),
      snapshot("-c", "one"),
      io("disk", "qcow2", "write -P 2 0 4k"),
      snapshot("-c", "two"),
      io("disk", "qcow2", "write -P 3 0 4k"),
      snapshot("-c", "three"),
      snapshot("-d", "one"),
    ],
  },
  {
    name: "qcow2-snapshot-applied",
    features: ["qcow2", "v3", "snapshots"],
    snapshots: ["before"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 8k"),
      snapshot("-c", "before"),
      io("disk", "qcow2", "write -P 2 0 16k", "discard 4k 4k"),
      snapshot("-a", "before"),
    ],
  },
  {
    name: "qcow2-snapshots-of-compressed",
    features: ["qcow2", "v3", "snapshots", "compressed", "zstd"],
    snapshots: ["packed"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k,compression_type=zstd", size: "64k" }),
      io(
        "disk",
        "qcow2",
        "write -c -s prose 0 4k",
        "write -c -s prose 4k 4k",
        "write -c -P 3 8k 4k",
      ),
      snapshot("-c", "packed"),
      io("disk", "qcow2", "write -P 2 0 1k", "write -z 4k 4k"),
    ],
  },
  {
    name: "qcow2-snapshots-extended-l2",
    features: ["qcow2", "v3", "snapshots", "extended-l2"],
    snapshots: ["first"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=16k,extended_l2=on", size: "96k" }),
      io("disk", "qcow2", "write -P 1 512 2k", "write -z 20k 3k"),
      snapshot("-c", "first"),
      io("disk", "qcow2", "write -P 2 1k 512", "write -z -u 16k 16k"),
    ],
  },
  {
    name: "qcow2-snapshots-on-raw",
    features: ["qcow2", "v3", "snapshots", "backing", "backing-raw"],
    others: ["base"],
    snapshots: ["first"],
    commands: [
      create("base", "raw", { size: "40k" }),
      io("base", "raw", "write -s verse 0 40k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "raw",
        size: "64k",
      }),
      io("disk", "qcow2", "write -P 1 4k 4k"),
      snapshot("-c", "first"),
      io("disk", "qcow2", "write -z 4k 4k", "write -P 2 50k 1k"),
    ],
  },
  {
    name: "qcow2-snapshot-names",
    features: ["qcow2", "v3", "snapshots", "names"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "8k" }),
      snapshot("-c", "with a blank"),
      snapshot("-c", "grün 灰 \u{1f4be}"),
      snapshot("-c", 'quoted "\\" name'),
      snapshot("-c", "n".repeat(200)),
    ],
  },
  {
    name: "qcow2-snapshots-many",
    features: ["qcow2", "v3", "snapshots", "refcount-16"],
    snapshots: ["s0", "s11"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "40k" }),
      ...Array.from({ length: 12 }, (_, i) => [
        io("disk", "qcow2", `write -P ${i + 1} ${i * 3}k 1k`),
        snapshot("-c", `s${i}`),
      ]).flat(),
    ],
  },
];

function bitmap(...args: string[]): Command {
  return img("bitmap", "-f", "qcow2", ...args);
}

const BITMAPS: readonly Recipe[] = [
  {
    name: "qcow2-bitmap-empty",
    features: ["qcow2", "v3", "bitmaps"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "256k" }),
      bitmap("--add", "disk", "b0"),
    ],
  },
  {
    name: "qcow2-bitmaps-granularities",
    features: ["qcow2", "v3", "bitmaps"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "8M" }),
      bitmap("--add", "-g", "512", "disk", "fine"),
      bitmap("--add", "-g", "64k", "disk", "middle"),
      bitmap("--add", "-g", "2G", "disk", "coarse"),
      io("disk", "qcow2", "write -P 1 0 1k", "write -P 2 5M 3k"),
    ],
  },
  {
    name: "qcow2-bitmaps-disabled",
    features: ["qcow2", "v3", "bitmaps"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "256k" }),
      bitmap("--add", "-g", "4k", "disk", "on"),
      bitmap("--add", "--disable", "-g", "4k", "disk", "off"),
      io("disk", "qcow2", "write -P 1 0 9k", "write -P 2 200k 4k"),
      bitmap("--disable", "disk", "on"),
      bitmap("--enable", "disk", "off"),
      io("disk", "qcow2", "write -P 3 100k 4k"),
    ],
  },
  {
    name: "qcow2-bitmap-all-set",
    features: ["qcow2", "v3", "bitmaps"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "4M" }),
      bitmap("--add", "-g", "512", "disk", "all"),
      io("disk", "qcow2", "write -z 0 4M"),
    ],
  },
  {
    name: "qcow2-bitmaps-merged-and-removed",
    features: ["qcow2", "v3", "bitmaps"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "256k" }),
      bitmap("--add", "-g", "4k", "disk", "a"),
      io("disk", "qcow2", "write -P 1 0 9k"),
      bitmap("--add", "-g", "8k", "--merge", "a", "disk", "b"),
      bitmap("--add", "disk", "c"),
      bitmap("--remove", "disk", "a"),
    ],
  },
  {
    name: "qcow2-bitmap-names",
    features: ["qcow2", "v3", "bitmaps", "names"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      bitmap("--add", "disk", "grün 灰"),
      bitmap("--add", "disk", "b".repeat(1023)),
    ],
  },
  {
    name: "qcow2-bitmaps-and-snapshots",
    features: ["qcow2", "v3", "bitmaps", "snapshots"],
    snapshots: ["first"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "128k" }),
      io("disk", "qcow2", "write -P 1 0 8k"),
      snapshot("-c", "first"),
      bitmap("--add", "-g", "4k", "disk", "since"),
      io("disk", "qcow2", "write -P 2 4k 8k"),
    ],
  },
  {
    name: "qcow2-bitmap-data-file",
    features: ["qcow2", "v3", "bitmaps", "data-file"],
    others: ["data"],
    commands: [
      create("disk", "qcow2", { options: "data_file=data,cluster_size=4k", size: 64 * KIB }),
      bitmap("--add", "-g", "4k", "disk", "b0"),
      io("disk", "qcow2", "write -P 1 4k 8k"),
    ],
  },
  {
    name: "qcow2-bitmap-in-use",
    features: ["qcow2", "v3", "bitmaps", "bitmap-in-use", "crash"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "128k" }),
      bitmap("--add", "-g", "4k", "disk", "b0"),
      io("disk", "qcow2", "write -P 1 4k 8k"),
      crash("disk", "qcow2", "write -P 2 40k 8k", "flush", "abort"),
    ],
  },
  {
    name: "qcow2-bitmap-resized",
    features: ["qcow2", "v3", "bitmaps", "resize"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "64k" }),
      bitmap("--add", "-g", "512", "disk", "b0"),
      io("disk", "qcow2", "write -P 1 4k 8k"),
      img("resize", "-q", "-f", "qcow2", "disk", "6M"),
      io("disk", "qcow2", "write -P 1 5M 8k"),
    ],
  },
];

export const SNAPSHOTS_AND_BITMAPS: readonly Recipe[] = [...SNAPSHOTS, ...BITMAPS];
