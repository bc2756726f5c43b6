/**
 * qcow2 images that cover every pair of: version, cluster size, refcount width, kind of L2 entry, lazy
 * refcounts, compression type, content, and format of the backing file.
 */
import { type Command, create, img, io, KIB, MIB, type Recipe } from "./recipe.ts";

const ROWS = `
v3 512 1 standard lazy zlib zero qcow2
v3 512 2 standard lazy zstd converted qcow
v3 512 4 standard strict zstd compressed qcow2
v3 512 8 standard lazy zstd discard qcow2
v3 512 32 standard lazy zstd plain none
v3 512 64 standard strict zstd zero qcow2
v3 1k 1 standard strict zlib converted qcow2
v3 1k 2 standard strict zstd zero raw
v3 1k 4 standard lazy zstd compressed qcow2
v3 1k 8 standard strict zlib plain qcow
v3 1k 32 standard strict zstd compressed raw
v3 1k 64 standard lazy zlib discard qcow
v3 4k 1 standard strict zlib plain qcow
v3 4k 2 standard strict zstd converted raw
v3 4k 4 standard lazy zlib zero none
v3 4k 8 standard strict zstd converted qcow2
v3 4k 32 standard strict zstd compressed raw
v3 4k 64 standard lazy zstd compressed raw
v3 16k 1 extended strict zstd discard none
v3 16k 2 extended lazy zlib zero qcow2
v3 16k 4 extended strict zstd plain none
v3 16k 8 standard lazy zlib plain raw
v3 16k 32 standard strict zstd converted qcow2
v3 16k 64 extended strict zlib converted none
v3 64k 1 standard lazy zstd compressed raw
v3 64k 2 extended lazy zlib discard qcow2
v3 64k 4 standard lazy zlib plain qcow2
v3 64k 8 standard strict zstd converted none
v3 64k 16 extended lazy zstd converted none
v3 64k 32 extended strict zlib zero qcow
v3 64k 64 extended strict zstd plain qcow2
v3 256k 1 standard strict zstd plain qcow
v3 256k 2 extended strict zlib compressed none
v3 256k 4 extended lazy zlib converted raw
v3 256k 8 standard strict zstd zero qcow
v3 256k 32 extended strict zstd discard qcow2
v3 256k 64 extended strict zlib compressed none
v3 2M 1 extended lazy zlib discard qcow
v3 2M 2 standard lazy zlib plain none
v3 2M 4 extended strict zstd discard qcow
v3 2M 8 extended lazy zlib compressed none
v3 2M 32 extended lazy zlib converted raw
v3 2M 64 extended lazy zlib compressed raw
v2 512 16 standard strict zlib discard raw
v2 1k 16 standard strict zlib converted none
v2 4k 16 standard strict zlib discard qcow
v2 16k 16 standard strict zlib compressed qcow
v2 64k 16 standard strict zlib plain qcow2
v2 256k 16 standard strict zlib plain none
v2 2M 16 standard strict zlib zero qcow2
`;

type Row = [
  version: "v2" | "v3",
  cluster: string,
  refcount: string,
  l2: string,
  lazy: string,
  type: string,
  content: string,
  backing: string,
];

const CLUSTER: { readonly [name: string]: number } = {
  "512": 512,
  "1k": KIB,
  "4k": 4 * KIB,
  "16k": 16 * KIB,
  "64k": 64 * KIB,
  "256k": 256 * KIB,
  "2M": 2 * MIB,
};

/**
 * The number of clusters of an image: several L2 tables if they are small, and a small size in
 * bytes.
 */
function clusterCount(size: number): number {
  if (size <= 512) return 150;
  if (size <= 4 * KIB) return 40;
  if (size <= 64 * KIB) return 20;
  return size <= 256 * KIB ? 8 : 4;
}

function options([version, cluster, refcount, l2, lazy, type]: Row): string {
  if (version === "v2") return `compat=0.10,cluster_size=${cluster}`;
  return [
    `compat=1.1,cluster_size=${cluster},refcount_bits=${refcount},compression_type=${type}`,
    `lazy_refcounts=${lazy === "lazy" ? "on" : "off"}`,
    `extended_l2=${l2 === "extended" ? "on" : "off"}`,
  ].join(",");
}

/** The backing file: half as long, and with a hole. */
function backing(format: string, length: number): Command[] {
  const half = Math.ceil(length / 1024) * 512;
  const piece = Math.min(8 * KIB, Math.floor(half / 1024) * 512);
  return [
    create("base", format, { size: half }),
    io("base", format, `write -s verse 0 ${piece}`, `write -P 0xb5 ${half - piece} ${piece}`),
  ];
}

/** The commands on the image, in clusters of `size` bytes; the last one is one sector long. */
function contentCommands(content: string, size: number, count: number): string[] {
  const at = (index: number, offset = 0) => index * size + offset;
  const half = Math.max(512, size / 2);
  const text = size <= 16 * KIB ? "prose" : "verse";
  const last = `write -P 0x99 ${at(count)} 512`;
  const filled = [`write -P 0x11 0 ${at(4)}`, last];
  switch (content) {
    case "plain":
      return [
        `write -P 0x33 ${at(3)} ${size}`,
        `write -s ${text} ${at(1)} ${Math.min(size, 8 * KIB)}`,
        `write -P 0x22 ${at(0, half % size)} 512`,
        last,
      ];
    case "compressed":
      return [
        `write -c -s ${text} 0 ${size}`,
        `write -c -P 0x44 ${at(1)} ${size}`,
        ...(size <= 16 * KIB ? [`write -c -s noise ${at(2)} ${size}`] : []),
        `write -c -s verse ${at(3)} ${size}`,
        `write -P 0x55 ${at(1, half % size)} 512`,
        last,
      ];
    case "zero":
      return [
        ...filled,
        `write -z ${at(1)} ${size}`,
        `write -z -u ${at(2)} ${size}`,
        "write -z 0 512",
      ];
    case "discard":
      return [...filled, `discard ${at(1)} ${at(1)}`, `discard ${at(count)} 512`];
    default:
      throw new TypeError(`No content is called ${content}`);
  }
}

function recipe(row: Row): Recipe {
  const [version, cluster, refcount, l2, lazy, type, content, base] = row;
  const size = CLUSTER[cluster] as number;
  const count = clusterCount(size);
  const length = count * size + 512;
  const on = base === "none" ? [] : backing(base, length);
  const named = base === "none" ? {} : { backing: "base", backingFormat: base };
  const made = content === "converted" ? converted(row, length) : [
    create("disk", "qcow2", { options: options(row), size: length, ...named }),
    io("disk", "qcow2", ...contentCommands(content, size, count)),
  ];
  const features = [
    "qcow2",
    version,
    `cluster-${cluster}`,
    `refcount-${refcount}`,
    ...(l2 === "extended" ? ["extended-l2"] : []),
    ...(lazy === "lazy" ? ["lazy-refcounts"] : []),
    type,
    content,
    ...(base === "none" ? [] : ["backing", `backing-${base}`]),
  ];
  return {
    name: features.filter((it) => it !== "backing" && !(version === "v2" && it === "refcount-16"))
      .join("-").replace("-backing-", "-on-"),
    features,
    others: base === "none" ? [] : ["base"],
    commands: [...on, ...made],
  };
}

/** A conversion with `-c` of a raw image with text, noise, a pattern and zeros in it. */
function converted(row: Row, length: number): Command[] {
  const [, cluster, , , , , , base] = row;
  const size = CLUSTER[cluster] as number;
  const noise = size <= 16 * KIB ? [`write -s noise ${4 * size} ${size}`] : [];
  return [
    create("source", "raw", { size: length }),
    io(
      "source",
      "raw",
      `write -s prose 0 ${Math.min(2 * size, 24 * KIB)}`,
      ...noise,
      `write -P 0x66 ${length - 512} 512`,
    ),
    img(
      "convert",
      "-q",
      "-c",
      "-f",
      "raw",
      "-O",
      "qcow2",
      "-o",
      options(row),
      ...(base === "none" ? [] : ["-B", "base", "-F", base]),
      "source",
      "disk",
    ),
  ];
}

export const PAIRS: readonly Recipe[] = ROWS.trim().split("\n").map((line) => {
  return recipe(line.split(" ") as Row);
});
