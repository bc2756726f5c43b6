/** qcow version 1. */
import { type Command, create, GIB, img, io, KIB, MIB, type Recipe, TIB } from "./recipe.ts";

const SCATTERED = ["write -P 0x11 0 4k", "write -P 0x22 20k 1k", "write -P 0x33 64k 12k"];

/** Sizes, with no content or with the last sector. */
const SIZES: readonly Recipe[] = [
  ["qcow-empty-512", 512, []],
  ["qcow-empty-1m", MIB, []],
  ["qcow-size-512", 512, ["write -P 0x5a 0 512"]],
  ["qcow-size-odd", 1000, ["write -P 0x5b 0 1000"]],
  ["qcow-size-2m-and-a-sector", 2 * MIB + 512, ["write -P 1 0 512", "write -P 2 2M 512"]],
  ["qcow-last-cluster-partial", 10 * KIB, ["write -P 7 8k 2k", "write -P 8 1k 512"]],
].map(([name, size, commands]) => ({
  name: name as string,
  features: ["qcow", "size"],
  commands: [
    create("disk", "qcow", { size: size as number }),
    ...((commands as string[]).length === 0 ? [] : [io("disk", "qcow", ...(commands as string[]))]),
  ],
}));

const CONTENT: readonly Recipe[] = [
  {
    name: "qcow-scattered",
    features: ["qcow", "data"],
    commands: [create("disk", "qcow", { size: MIB }), io("disk", "qcow", ...SCATTERED)],
  },
  {
    name: "qcow-descending",
    features: ["qcow", "data", "fragmented"],
    commands: [
      create("disk", "qcow", { size: 64 * KIB }),
      io("disk", "qcow", ...[15, 12, 9, 6, 3, 0].map((i) => `write -P ${i + 1} ${i * 4}k 4k`)),
    ],
  },
  {
    name: "qcow-several-l2-tables",
    features: ["qcow", "data"],
    commands: [
      create("disk", "qcow", { size: 16 * MIB }),
      io("disk", "qcow", ...[0, 3, 5, 14].map((i) => `write -s verse ${i}M 6k`)),
    ],
  },
  {
    name: "qcow-from-raw",
    features: ["qcow", "data", "converted"],
    commands: [img("convert", "-q", "-f", "raw", "-O", "qcow", "prose", "disk")],
  },
];

/**
 * Compresses a raw file. Every version of qemu-img writes a valid image and then exits with status
 * 1.
 */
function packed(source: string): Command {
  return { ...img("convert", "-q", "-c", "-f", "raw", "-O", "qcow", source, "disk"), ends: 1 };
}

/** The content of an image with compressed clusters of 4 KiB each. */
const COMPRESSED: readonly (readonly [string, readonly string[]])[] = [
  ["qcow-compressed-patterns", [
    "write -c -P 1 0 4k",
    "write -c -P 2 4k 4k",
    "write -c -P 3 40k 4k",
  ]],
  ["qcow-compressed-prose", [0, 1, 2, 5, 9, 15].map((i) => `write -c -s prose ${i * 4}k 4k`)],
  ["qcow-compressed-and-plain", [
    "write -c -s prose 0 4k",
    "write -P 9 4k 4k",
    "write -c -s verse 8k 4k",
    "write -c -s noise 12k 4k",
    "write -c -s prose 16k 4k",
  ]],
  ["qcow-compressed-overwritten", [
    "write -c -s prose 0 4k",
    "write -c -s prose 4k 4k",
    "write -P 0xee 1k 512",
    "write -c -P 5 60k 4k",
  ]],
];

const COMPRESSED_RECIPES: readonly Recipe[] = [
  ...COMPRESSED.map(([name, commands]) => ({
    name,
    features: ["qcow", "compressed"],
    commands: [create("disk", "qcow", { size: 64 * KIB }), io("disk", "qcow", ...commands)],
  })),
  {
    name: "qcow-converted-compressed",
    features: ["qcow", "compressed", "converted"],
    commands: [packed("prose")],
  },
  {
    name: "qcow-converted-compressed-noise",
    features: ["qcow", "compressed", "converted", "incompressible"],
    commands: [
      create("source", "raw", { size: 48 * KIB }),
      io("source", "raw", "write -s noise 0 16k", "write -s prose 20k 9k"),
      packed("source"),
    ],
  },
];

/** Images of 512-byte clusters on a backing file that is longer, shorter or of another format. */
const BACKED: readonly Recipe[] = [
  {
    name: "qcow-on-raw",
    features: ["qcow", "backing", "backing-raw"],
    others: ["base"],
    commands: [
      create("base", "raw", { size: 32 * KIB }),
      io("base", "raw", "write -s verse 0 20k"),
      create("disk", "qcow", { backing: "base", backingFormat: "raw", size: 64 * KIB }),
      io("disk", "qcow", "write -P 0xaa 1k 2k", "write -P 0xbb 30k 4k", "write -P 0 8k 1k"),
    ],
  },
  {
    name: "qcow-on-longer-raw",
    features: ["qcow", "backing", "backing-raw", "backing-longer"],
    others: ["base"],
    commands: [
      create("base", "raw", { size: 64 * KIB }),
      io("base", "raw", "write -s verse 0 64k"),
      create("disk", "qcow", { backing: "base", backingFormat: "raw", size: 20 * KIB + 512 }),
      io("disk", "qcow", "write -P 0xcc 20k 512"),
    ],
  },
  {
    name: "qcow-on-qcow-on-raw",
    features: ["qcow", "backing", "backing-qcow", "chain"],
    others: ["middle", "base"],
    commands: [
      create("base", "raw", { size: 48 * KIB }),
      io("base", "raw", "write -P 1 0 48k"),
      create("middle", "qcow", { backing: "base", backingFormat: "raw", size: 24 * KIB }),
      io("middle", "qcow", "write -P 2 4k 4k"),
      create("disk", "qcow", { backing: "middle", backingFormat: "qcow", size: 64 * KIB }),
      io("disk", "qcow", "write -P 3 6k 1k", "write -P 4 40k 512"),
    ],
  },
  {
    name: "qcow-on-qcow2",
    features: ["qcow", "backing", "backing-qcow2"],
    others: ["base"],
    commands: [
      create("base", "qcow2", { size: 96 * KIB, options: "cluster_size=4k" }),
      io("base", "qcow2", "write -s verse 0 12k", "write -z 40k 8k", "write -c -s prose 48k 4k"),
      create("disk", "qcow", { backing: "./base", backingFormat: "qcow2", size: 96 * KIB }),
      io("disk", "qcow", "write -P 6 2k 1k"),
    ],
  },
  {
    name: "qcow-on-qcow-compressed",
    features: ["qcow", "backing", "backing-qcow", "compressed"],
    others: ["base"],
    commands: [
      create("base", "qcow", { size: 16 * KIB }),
      io("base", "qcow", "write -c -s prose 0 4k", "write -c -s prose 12k 4k"),
      create("disk", "qcow", { backing: "base", backingFormat: "qcow" }),
      io("disk", "qcow", "write -c -P 0x77 512 512", "write -c -s verse 13k 512"),
    ],
  },
  {
    name: "qcow-backing-several-l2-tables",
    features: ["qcow", "backing", "backing-raw"],
    others: ["base"],
    commands: [
      create("base", "raw", { size: 4 * KIB }),
      io("base", "raw", "write -P 0x42 0 4k"),
      create("disk", "qcow", { backing: "base", backingFormat: "raw", size: 8 * MIB }),
      io("disk", "qcow", ...[0, 2, 3, 7].map((i) => `write -P ${i + 1} ${i}M 1k`)),
    ],
  },
];

const HUGE: readonly Recipe[] = [
  {
    name: "qcow-1t-sparse",
    features: ["qcow", "huge", "sparse"],
    withoutMap: true,
    ranges: [
      { start: 0, length: 64 * KIB },
      { start: 512 * GIB, length: 64 * KIB },
      { start: TIB - 64 * KIB, length: 64 * KIB },
    ],
    commands: [
      create("disk", "qcow", { size: TIB }),
      io("disk", "qcow", "write -P 1 4k 4k", "write -P 2 512G 512", `write -P 3 ${TIB - 512} 512`),
    ],
  },
  {
    name: "qcow-1g-sparse",
    features: ["qcow", "huge", "sparse"],
    ranges: [{ start: 0, length: 16 * KIB }, { start: GIB - 16 * KIB, length: 16 * KIB }],
    commands: [
      create("disk", "qcow", { size: GIB }),
      io(
        "disk",
        "qcow",
        "write -P 1 700M 4k",
        "write -c -s prose 1M 4k",
        `write -P 3 ${GIB - 512} 512`,
      ),
    ],
  },
  {
    name: "qcow-256m-on-raw",
    features: ["qcow", "huge", "sparse", "backing", "backing-raw"],
    others: ["base"],
    ranges: [{ start: 0, length: 16 * KIB }, { start: 256 * MIB - 16 * KIB, length: 16 * KIB }],
    commands: [
      create("base", "raw", { size: 1 * KIB }),
      io("base", "raw", "write -P 0x61 0 1k"),
      create("disk", "qcow", { backing: "base", backingFormat: "raw", size: 256 * MIB }),
      io("disk", "qcow", `write -P 3 ${256 * MIB - 1024} 1k`),
    ],
  },
];

const SECRET = ["--object", "secret,id=key,data=diskproof"];

const ENCRYPTED: readonly Recipe[] = [{
  name: "qcow-aes",
  features: ["qcow", "encrypted", "aes"],
  commands: [
    img(
      "convert",
      "-q",
      ...SECRET,
      "-f",
      "raw",
      "-O",
      "qcow",
      "-o",
      "encrypt.format=aes,encrypt.key-secret=key",
      "verse",
      "disk",
    ),
  ],
}];

export const QCOW: readonly Recipe[] = [
  ...SIZES,
  ...CONTENT,
  ...COMPRESSED_RECIPES,
  ...BACKED,
  ...HUGE,
  ...ENCRYPTED,
];
