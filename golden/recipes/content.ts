/** qcow2: kinds of clusters and subclusters, compressed data, encryption. */
import { create, img, io, KIB, MIB, type Recipe } from "./recipe.ts";

const BASE = [
  create("base", "raw", { size: 256 * KIB }),
  io("base", "raw", "write -s verse 0 256k"),
];

/** Zero clusters and discards: with and without a backing file that would become visible. */
const ZEROS: readonly Recipe[] = ([
  ["zero-on-nothing", ["write -z 0 12k", "write -z 20k 2k", "write -z -u 32k 4k"]],
  ["zero-on-data", ["write -P 1 0 64k", "write -z 4k 8k", "write -z 30k 1k"]],
  ["zero-unmapped", ["write -P 1 0 64k", "write -z -u 4k 8k", "write -z -u 30k 9k"]],
  ["zero-on-compressed", [
    "write -c -s prose 0 4k",
    "write -c -P 3 4k 4k",
    "write -z 0 4k",
    "write -z 5k 1k",
  ]],
  ["discarded", ["write -P 1 0 64k", "discard 8k 16k", "discard 33k 1k", "discard 60k 4k"]],
  ["discarded-and-reused", [
    "write -P 1 0 32k",
    "discard 0 16k",
    "write -P 2 64k 8k",
    "write -P 3 4k 4k",
  ]],
  ["data-over-zero", [
    "write -z 0 32k",
    "write -P 4 5k 512",
    "write -z -u 64k 4k",
    "write -P 5 64k 4k",
  ]],
] as const).flatMap(([name, commands]) =>
  (["v3", "v2"] as const).flatMap((version) => {
    const compat = version === "v2" ? "compat=0.10," : "";
    const plain: Recipe = {
      name: `qcow2-${version}-${name}`,
      features: ["qcow2", version, "zero", name],
      commands: [
        create("disk", "qcow2", { options: `${compat}cluster_size=4k`, size: 128 * KIB }),
        io("disk", "qcow2", ...commands),
      ],
    };
    const backed: Recipe = {
      name: `${plain.name}-on-raw`,
      features: [...plain.features, "backing", "backing-raw"],
      others: ["base"],
      commands: [
        ...BASE,
        create("disk", "qcow2", {
          options: `${compat}cluster_size=4k`,
          backing: "base",
          backingFormat: "raw",
        }),
        io("disk", "qcow2", ...commands),
      ],
    };
    return version === "v3" ? [plain, backed] : [name.startsWith("zero") ? backed : plain];
  })
);

/** Subclusters of 1 KiB, in clusters of 32 KiB. */
const SUBCLUSTERS: readonly Recipe[] = ([
  ["data", ["write -P 1 1k 1k", "write -P 2 5k 3k", "write -P 3 40k 512", "write -P 4 95k 2k"]],
  ["zero", ["write -z 1k 2k", "write -P 2 8k 4k", "write -z 9k 1k", "write -z 32k 32k"]],
  ["zero-unmapped", ["write -P 1 0 96k", "write -z -u 2k 3k", "write -z -u 32k 32k"]],
  ["discarded", ["write -P 1 0 96k", "discard 4k 8k", "discard 32k 32k", "discard 65k 512"]],
  ["compressed", ["write -c -s prose 0 32k", "write -c -P 6 32k 32k", "write -P 7 33k 1k"]],
  ["compressed-and-subclusters", [
    "write -c -s prose 64k 32k",
    "write -P 1 3k 1k",
    "write -z 66k 1k",
  ]],
] as const).flatMap(([name, commands]) => {
  const options = "cluster_size=32k,extended_l2=on";
  const features = ["qcow2", "v3", "extended-l2", name];
  return [
    {
      name: `qcow2-subclusters-${name}`,
      features,
      commands: [
        create("disk", "qcow2", { options, size: 160 * KIB + 512 }),
        io("disk", "qcow2", ...commands),
      ],
    },
    {
      name: `qcow2-subclusters-${name}-on-raw`,
      features: [...features, "backing", "backing-raw"],
      others: ["base"],
      commands: [
        ...BASE,
        create("disk", "qcow2", {
          options,
          size: 300 * KIB,
          backing: "base",
          backingFormat: "raw",
        }),
        io("disk", "qcow2", ...commands, "write -P 9 255k 512"),
      ],
    },
  ];
});

/** Compressed clusters that share sectors, and clusters that do not compress. */
const COMPRESSED: readonly Recipe[] = (["zlib", "zstd"] as const).flatMap((type) =>
  (["512", "4k", "64k"] as const).map((cluster) => {
    const size = { "512": 512, "4k": 4 * KIB, "64k": 64 * KIB }[cluster];
    const count = cluster === "64k" ? 4 : 24;
    const sources = ["prose", "verse", "noise", "prose"] as const;
    const writes = Array.from({ length: count }, (_, i) => {
      const source = cluster === "64k" && i === 2 ? "verse" : sources[i % 4];
      return `write -c -s ${source} ${((i * 7) % count) * size} ${size}`;
    });
    return {
      name: `qcow2-compressed-${type}-sharing-sectors-cluster-${cluster}`,
      features: ["qcow2", "v3", `cluster-${cluster}`, type, "compressed", "unaligned"],
      commands: [
        create("disk", "qcow2", {
          options: `cluster_size=${cluster},compression_type=${type}`,
          size: (count + 2) * size,
        }),
        io("disk", "qcow2", ...writes),
      ],
    };
  })
);

const CONVERTED: readonly Recipe[] = [
  {
    name: "qcow2-converted-without-sparseness",
    features: ["qcow2", "v3", "converted"],
    commands: [
      create("source", "raw", { size: 96 * KIB }),
      io("source", "raw", "write -s verse 0 8k", "write -P 3 70k 3k"),
      img(
        "convert",
        "-S",
        "0",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-o",
        "cluster_size=4k",
        "source",
        "disk",
      ),
    ],
  },
  {
    name: "qcow2-converted-from-qcow",
    features: ["qcow2", "v3", "converted"],
    commands: [
      create("source", "qcow", { size: 96 * KIB }),
      io("source", "qcow", "write -c -s prose 0 4k", "write -P 3 70k 3k"),
      img("convert", "-f", "qcow", "-O", "qcow2", "-o", "cluster_size=8k", "source", "disk"),
    ],
  },
  {
    name: "qcow2-v2-converted-compressed-cluster-64k",
    features: ["qcow2", "v2", "compressed", "converted", "cluster-64k"],
    commands: [
      create("source", "raw", { size: MIB }),
      io("source", "raw", "write -s prose 0 32k", "write -P 4 256k 100k", "write -s noise 640k 4k"),
      img("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "compat=0.10", "source", "disk"),
    ],
  },
];

const ENCRYPTED: readonly Recipe[] = [{
  name: "qcow2-aes",
  features: ["qcow2", "v3", "encrypted", "aes"],
  commands: [
    img(
      "convert",
      "--object",
      "secret,id=key,data=diskproof",
      "-f",
      "raw",
      "-O",
      "qcow2",
      "-o",
      "encrypt.format=aes,encrypt.key-secret=key,cluster_size=4k",
      "verse",
      "disk",
    ),
  ],
}];

export const CONTENT: readonly Recipe[] = [
  ...ZEROS,
  ...SUBCLUSTERS,
  ...COMPRESSED,
  ...CONVERTED,
  ...ENCRYPTED,
];
