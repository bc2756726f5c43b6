/** qcow2: LUKS inside, and combinations of both kinds of encryption with other features. */
import { content, made, opened, written } from "./encryption.ts";
import {
  type Command,
  create,
  img,
  ioWith,
  ITER_TIME,
  type KeyFile,
  KEYS,
  KIB,
  type Recipe,
  secrets,
} from "./recipe.ts";

type Geometry = readonly [name: string, options: string, cluster: number];

/** LUKS inside qcow2, with every kind of geometry. */
const LUKS_GEOMETRY: readonly Geometry[] = [
  ["cluster-512", "cluster_size=512", 512],
  ["cluster-4k", "cluster_size=4k,refcount_bits=1", 4 * KIB],
  ["cluster-64k", "cluster_size=64k,lazy_refcounts=on", 64 * KIB],
  ["cluster-2m", "cluster_size=2M,extended_l2=on", 2048 * KIB],
  ["v2", "compat=0.10,cluster_size=4k", 4 * KIB],
  ["extended-l2", "cluster_size=16k,extended_l2=on", 16 * KIB],
  ["zstd", "cluster_size=4k,compression_type=zstd", 4 * KIB],
  ["preallocated", "cluster_size=4k,preallocation=metadata", 4 * KIB],
];

/** The content of preallocated clusters is the decryption of zeros. */
const VARYING = ["preallocated"];

const LUKS_IMAGES: readonly Recipe[] = LUKS_GEOMETRY.map(([name, options, cluster]) => ({
  name: `qcow2-luks-${name}`,
  features: ["qcow2", name === "v2" ? "v2" : "v3", "encrypted", "luks"],
  passphrases: [KEYS.key],
  ...(VARYING.includes(name) ? { contentVaries: true as const } : {}),
  commands: [
    made("disk", "luks", { size: String((cluster > 64 * KIB ? 4 : 12) * cluster), options }),
    written("qcow2", ...content(cluster)),
  ],
}));

/** Megabytes without stored data, only tables: the content is the decryption of zeros. */
const SPARSE: readonly Recipe[] = (["luks", "aes"] as const).map((kind) => ({
  name: `qcow2-${kind}-sparse`,
  features: ["qcow2", "v3", "encrypted", kind, "large"],
  passphrases: [KEYS.key],
  contentVaries: true as const,
  ranges: [{ start: 5 * 2 ** 20 + 512, length: 66560 }],
  commands: [made("disk", kind, { size: "6M", options: "preallocation=metadata" })],
}));

/** Images with a data file, snapshots, several keys or other keys. */
const DATA_FILES: readonly Recipe[] = ["luks", "aes"].flatMap((kind) =>
  ["", "-raw"].map((raw) => ({
    name: `qcow2-${kind}-data-file${raw}`,
    features: ["qcow2", "v3", "encrypted", kind, `data-file${raw}`],
    others: ["data"],
    passphrases: [KEYS.key],
    commands: [
      made("disk", kind as "luks" | "aes", {
        size: "48k",
        options: `cluster_size=4k,data_file=data${raw === "" ? "" : ",data_file_raw=on"}`,
      }),
      // All clusters of a raw data file are allocated.
      written("qcow2", ...(raw === "" ? [] : ["write -q -P 0x66 0 48k"]), ...content(4 * KIB)),
    ],
  }))
);

const SNAPSHOTS: readonly Recipe[] = ["luks", "aes"].map((kind) => ({
  name: `qcow2-${kind}-snapshots`,
  features: ["qcow2", "v3", "encrypted", kind, "snapshots"],
  passphrases: [KEYS.key],
  snapshots: ["first", "second"],
  commands: [
    made("disk", kind as "luks" | "aes", { size: "48k", options: "cluster_size=4k" }),
    written("qcow2", ...content(4 * KIB)),
    snapshot("first"),
    written("qcow2", "write -q -P 0x33 2k 4k", "write -q -P 0x44 40k 512"),
    snapshot("second"),
    written("qcow2", "write -q -P 0x55 0 1k", "write -q -z 40k 4k"),
  ],
}));

function snapshot(name: string): Command {
  const image = opened("qcow2", "key");
  return img("snapshot", "-q", ...secrets("key"), "-c", name, "--image-opts", image);
}

/** Changes the key slots of the image, with the first of these keys. */
function amended(change: string, ...keys: KeyFile[]): Command {
  const options = change.split(",").map((option) => `encrypt.${option}`).join(",");
  const image = opened("qcow2", keys[0] ?? "key");
  return img("amend", "-q", ...secrets(...keys), "-o", options, "--image-opts", image);
}

const SLOT_COMMANDS = [
  made("disk", "luks", { size: "16k", options: "cluster_size=4k" }),
  written("qcow2", "write -q -s verse 1k 3k"),
  amended(`state=active,new-secret=key-2,keyslot=5,${ITER_TIME}`, "key", "key-2"),
];

const SLOTS: readonly Recipe[] = [
  {
    name: "qcow2-luks-slot-erased",
    features: ["qcow2", "v3", "encrypted", "luks", "key-slots", "erased-slot"],
    passphrases: [KEYS["key-2"]],
    commands: [...SLOT_COMMANDS, amended("state=inactive,keyslot=0", "key-2")],
  },
  {
    name: "qcow2-luks-wrong-passphrase",
    features: ["qcow2", "v3", "encrypted", "luks", "wrong-passphrase"],
    passphrases: [KEYS["key-2"]],
    commands: SLOT_COMMANDS.slice(0, 2),
  },
];

const SMALL = "cluster_size=4k";

/** Chains with encryption on top, at the bottom, and on both ends. */
const CHAINS: readonly Recipe[] = [
  {
    name: "qcow2-luks-on-raw",
    features: ["qcow2", "v3", "encrypted", "luks", "backing", "backing-raw"],
    others: ["verse"],
    passphrases: [KEYS.key],
    commands: [
      made("disk", "luks", { options: SMALL, size: "8k", backing: "verse", backingFormat: "raw" }),
      written("qcow2", "write -q -P 9 1k 512", "write -q -P 8 5k 1k"),
    ],
  },
  {
    name: "qcow2-on-qcow2-luks",
    features: ["qcow2", "v3", "encrypted", "luks", "backing", "backing-qcow2"],
    others: ["base"],
    passphrases: ["not asked for", KEYS["key-2"]],
    commands: [
      made("base", "luks", { key: "key-2", options: SMALL, size: "16k" }),
      ioWith(
        ["key-2"],
        opened("qcow2", "key-2").replace("disk", "base"),
        "write -q -s verse 0 10k",
      ),
      create("disk", "qcow2", { options: SMALL, backing: "base", backingFormat: "qcow2" }),
      ioWith(["key-2"], opened("qcow2", "none", "key-2"), "write -q -P 6 4k 1k"),
    ],
  },
  {
    name: "qcow2-luks-on-qcow2-luks",
    features: ["qcow2", "v3", "encrypted", "luks", "backing", "backing-qcow2"],
    others: ["base"],
    passphrases: [KEYS.key, KEYS["key-2"]],
    commands: [
      made("base", "luks", { key: "key-2", options: SMALL, size: "16k" }),
      ioWith(
        ["key-2"],
        opened("qcow2", "key-2").replace("disk", "base"),
        "write -q -s verse 0 10k",
      ),
      made("disk", "luks", {
        options: "cluster_size=1k",
        size: "20k",
        backing: "base",
        backingFormat: "qcow2",
      }),
      ioWith(["key", "key-2"], opened("qcow2", "key", "key-2"), "write -q -P 6 4k 512"),
    ],
  },
  {
    name: "qcow2-aes-on-qcow2-on-luks",
    features: ["qcow2", "v3", "encrypted", "aes", "luks", "backing", "backing-luks", "chain"],
    others: ["middle", "base"],
    passphrases: [KEYS["key-2"], KEYS.key],
    commands: [
      img(
        "convert",
        "-q",
        ...secrets("key"),
        ...["-f", "raw", "-O", "luks", "-o"],
        `key-secret=key,${ITER_TIME},cipher-alg=aes-128,cipher-mode=cbc,hash-alg=sha1`,
        "verse",
        "base",
      ),
      create("middle", "qcow2", {
        options: SMALL,
        size: "12k",
        backing: "base",
        backingFormat: "luks",
      }),
      made("disk", "aes", {
        key: "key-2",
        options: SMALL,
        size: "16k",
        backing: "middle",
        backingFormat: "qcow2",
      }),
      ioWith(
        ["key", "key-2"],
        `${opened("qcow2", "key-2")},backing.backing.key-secret=key`,
        "write -q -P 6 2k 512",
        "write -q -P 7 9k 1k",
      ),
    ],
  },
];

export const ENCRYPTED: readonly Recipe[] = [
  ...LUKS_IMAGES,
  ...SPARSE,
  ...DATA_FILES,
  ...SNAPSHOTS,
  ...SLOTS,
  ...CHAINS,
];
