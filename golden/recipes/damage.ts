/**
 * qcow2: images that were changed after their creation, images whose writer crashed, and images
 * that qemu-io has overwritten as raw files.
 */
import { crash, create, img, io, KIB, type Recipe } from "./recipe.ts";

const CHANGED: readonly Recipe[] = [
  {
    name: "qcow2-grown",
    features: ["qcow2", "v3", "resize"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "20k" }),
      io("disk", "qcow2", "write -P 1 0 20k"),
      img("resize", "-q", "-f", "qcow2", "disk", "3M"),
      io("disk", "qcow2", "write -P 2 2M 1k"),
    ],
  },
  {
    name: "qcow2-grown-preallocated",
    features: ["qcow2", "v3", "resize", "preallocation"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "16k" }),
      img("resize", "-q", "-f", "qcow2", "--preallocation=metadata", "disk", "64k"),
    ],
  },
  {
    name: "qcow2-shrunk",
    features: ["qcow2", "v3", "resize"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "256k" }),
      io("disk", "qcow2", "write -P 1 0 16k", "write -P 2 200k 16k"),
      img("resize", "-q", "-f", "qcow2", "--shrink", "disk", "30k"),
    ],
  },
  {
    name: "qcow2-amended-to-v3",
    features: ["qcow2", "v3", "amend"],
    commands: [
      create("disk", "qcow2", { options: "compat=0.10,cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 16k"),
      img("amend", "-f", "qcow2", "-o", "compat=1.1,lazy_refcounts=on", "disk"),
      io("disk", "qcow2", "write -z 4k 4k"),
    ],
  },
  {
    name: "qcow2-amended-to-v2",
    features: ["qcow2", "v2", "amend"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 1 0 16k", "write -z 4k 4k", "write -z -u 32k 4k"),
      img("amend", "-f", "qcow2", "-o", "compat=0.10", "disk"),
    ],
  },
  {
    name: "qcow2-rebased-away",
    features: ["qcow2", "v3", "rebase"],
    commands: [
      create("base", "raw", { size: "32k" }),
      io("base", "raw", "write -s verse 0 20k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "raw",
        size: "64k",
      }),
      io("disk", "qcow2", "write -P 1 8k 4k"),
      img("rebase", "-f", "qcow2", "-b", "", "disk"),
    ],
  },
  {
    name: "qcow2-committed-into",
    features: ["qcow2", "v3", "commit"],
    others: ["base"],
    commands: [
      create("base", "qcow2", { options: "cluster_size=4k", size: "32k" }),
      io("base", "qcow2", "write -P 1 0 32k"),
      create("disk", "qcow2", {
        options: "cluster_size=4k",
        backing: "base",
        backingFormat: "qcow2",
      }),
      io("disk", "qcow2", "write -P 2 8k 4k", "write -z 16k 4k"),
      img("commit", "-q", "-f", "qcow2", "disk"),
    ],
  },
];

const CRASHED: readonly Recipe[] = [
  {
    name: "qcow2-dirty",
    features: ["qcow2", "v3", "lazy-refcounts", "dirty", "crash"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k,lazy_refcounts=on", size: "128k" }),
      crash("disk", "qcow2", "write -P 1 0 8k", "write -P 2 64k 4k", "flush", "abort"),
    ],
  },
  {
    name: "qcow2-dirty-extended-l2",
    features: ["qcow2", "v3", "lazy-refcounts", "extended-l2", "dirty", "crash"],
    commands: [
      create("disk", "qcow2", {
        options: "cluster_size=16k,extended_l2=on,lazy_refcounts=on",
        size: "128k",
      }),
      io("disk", "qcow2", "write -P 3 96k 1k"),
      crash("disk", "qcow2", "write -P 1 1k 2k", "flush", "sigraise 9"),
    ],
  },
  {
    name: "qcow2-dirty-after-snapshot",
    features: ["qcow2", "v3", "lazy-refcounts", "snapshots", "dirty", "crash"],
    snapshots: ["before"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k,lazy_refcounts=on", size: "64k" }),
      io("disk", "qcow2", "write -P 3 0 8k"),
      img("snapshot", "-c", "before", "disk"),
      crash("disk", "qcow2", "write -P 1 0 4k", "flush", "abort"),
    ],
  },
  {
    name: "qcow2-crash-without-flush",
    features: ["qcow2", "v3", "crash"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=4k", size: "64k" }),
      io("disk", "qcow2", "write -P 3 0 8k"),
      crash("disk", "qcow2", "write -P 1 4k 12k", "abort"),
    ],
  },
  {
    name: "qcow2-leaks-after-crash",
    features: ["qcow2", "v3", "leak", "crash"],
    commands: [
      create("disk", "qcow2", { options: "cluster_size=512", size: "3M" }),
      io("disk", "qcow2", "write -P 3 0 8k"),
      crash("disk", "qcow2", "write -P 1 40k 2M", "abort"),
    ],
  },
];

const OPTIONS = { options: "cluster_size=4k", size: 128 * KIB };
const WRITES = ["write -P 1 0 8k", "write -P 2 64k 8k"];

/**
 * The first image that these commands create has its header, refcount table, refcount block, L1
 * table and L2 table in clusters 0 to 4, and data from cluster 5 on.
 */
function overwritten(name: string, feature: string, ...commands: string[]): Recipe {
  return {
    name: `qcow2-${name}`,
    features: ["qcow2", "v3", "overwritten", feature],
    commands: [
      create("disk", "qcow2", OPTIONS),
      io("disk", "qcow2", ...WRITES),
      io("disk", "raw", ...commands),
    ],
  };
}

const OVERWRITTEN: readonly Recipe[] = [
  overwritten("refcounts-zeroed", "corruption", "write -P 0 8k 4k"),
  overwritten("refcounts-at-maximum", "leak", "write -P 0xff 8202 4"),
  overwritten("refcount-too-high", "leak", "write -P 2 8203 1"),
  overwritten("l2-table-zeroed", "leak", "write -P 0 16k 4k"),
  overwritten("l1-table-zeroed", "leak", "write -P 0 12k 512"),
  overwritten("l2-entry-reserved-bit", "corruption", "write -P 4 16391 1"),
  overwritten("l2-entry-not-copied", "corruption", "write -P 0 16384 1"),
  overwritten("l2-entry-beyond-end", "corruption", "write -P 1 16387 1"),
  overwritten("l2-entry-unaligned", "corruption", "write -P 2 16390 1"),
  overwritten("data-cluster-shared", "corruption", "write -P 0x50 16398 1"),
  overwritten("version-4", "refused", "write -P 4 7 1"),
  overwritten("incompatible-feature", "refused", "write -P 0x80 72 1"),
  overwritten("corrupt-flag", "corrupt", "write -P 2 79 1"),
  overwritten("compatible-feature", "accepted", "write -P 0x40 80 1"),
  overwritten("magic-gone", "raw", "write -P 0 0 1"),
  {
    name: "qcow2-truncated-in-data",
    features: ["qcow2", "v3", "truncated", "corruption"],
    commands: [
      create("disk", "qcow2", OPTIONS),
      io("disk", "qcow2", ...WRITES),
      img("resize", "-q", "-f", "raw", "--shrink", "disk", "28k"),
    ],
  },
  {
    name: "qcow2-truncated-to-the-header",
    features: ["qcow2", "v3", "truncated"],
    commands: [
      create("disk", "qcow2", OPTIONS),
      io("disk", "qcow2", ...WRITES),
      img("resize", "-q", "-f", "raw", "--shrink", "disk", "512"),
    ],
  },
  {
    name: "qcow2-compressed-data-overwritten",
    features: ["qcow2", "v3", "compressed", "overwritten", "unreadable"],
    commands: [
      create("disk", "qcow2", OPTIONS),
      io("disk", "qcow2", "write -c -s prose 0 4k", "write -P 1 8k 4k"),
      io("disk", "raw", "write -P 0xff 20481 60"),
    ],
  },
  {
    name: "qcow-cluster-unaligned",
    features: ["qcow", "overwritten", "unreadable"],
    commands: [
      create("disk", "qcow", { size: 64 * KIB }),
      io("disk", "qcow", "write -P 1 0 4k", "write -P 2 8k 4k"),
      io("disk", "raw", "write -P 1 4103 1"),
    ],
  },
  {
    name: "qcow-truncated",
    features: ["qcow", "truncated"],
    commands: [
      create("disk", "qcow", { size: 64 * KIB }),
      io("disk", "qcow", "write -P 1 0 4k", "write -P 2 8k 4k"),
      img("resize", "-q", "-f", "raw", "--shrink", "disk", "13k"),
    ],
  },
];

/** Images without any format, for probing. */
const RAW: readonly Recipe[] = [
  {
    name: "raw-empty",
    features: ["raw", "size"],
    commands: [create("disk", "raw", { size: 0 })],
  },
  {
    name: "raw-odd-length",
    features: ["raw", "size"],
    commands: [
      create("disk", "raw", { size: 1000 }),
      io("disk", "raw", "write -P 0x51 0 1000"),
    ],
  },
  {
    name: "raw-data",
    features: ["raw", "data"],
    commands: [
      create("disk", "raw", { size: "64k" }),
      io("disk", "raw", "write -s verse 0 20k", "write -P 1 40k 512"),
    ],
  },
];

export const DAMAGED: readonly Recipe[] = [...CHANGED, ...CRASHED, ...OVERWRITTEN, ...RAW];
