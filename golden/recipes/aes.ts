/** qcow and qcow2: the legacy AES. */
import { content, made, opened, written } from "./encryption.ts";
import { ioWith, KEYS, KIB, type Recipe } from "./recipe.ts";

const AES_IMAGES: readonly Recipe[] = [
  ["v2", "compat=0.10,cluster_size=4k", 4 * KIB],
  ["cluster-512", "cluster_size=512", 512],
  ["cluster-64k", "cluster_size=64k", 64 * KIB],
  ["extended-l2", "cluster_size=16k,extended_l2=on", 16 * KIB],
].map(([name, options, cluster]) => ({
  name: `qcow2-aes-${name}`,
  features: ["qcow2", name === "v2" ? "v2" : "v3", "encrypted", "aes"],
  passphrases: [KEYS.key],
  commands: [
    made("disk", "aes", { size: String(12 * Number(cluster)), options: options as string }),
    written("qcow2", ...content(cluster as number)),
  ],
}));

const QCOW_CONTENT = [
  "write -q -P 0x11 0 5k",
  "write -q -s verse 20k 1536",
  "write -q -P 7 63k 512",
];

const QCOW_IMAGES: readonly Recipe[] = [
  {
    name: "qcow-aes-scattered",
    features: ["qcow", "encrypted", "aes"],
    passphrases: [KEYS.key],
    commands: [made("disk", "qcow", { size: "64k" }), written("qcow", ...QCOW_CONTENT)],
  },
  {
    name: "qcow-aes-other-passphrase",
    features: ["qcow", "encrypted", "aes", "wrong-passphrase"],
    passphrases: [KEYS["key-2"]],
    contentVaries: true,
    commands: [made("disk", "qcow", { size: "64k" }), written("qcow", ...QCOW_CONTENT)],
  },
  {
    // The key is the first 16 bytes of a passphrase.
    name: "qcow-aes-passphrase-cut",
    features: ["qcow", "encrypted", "aes", "long-passphrase"],
    passphrases: [KEYS["key-3"].slice(0, 16)],
    commands: [
      made("disk", "qcow", { key: "key-3", size: "16k" }),
      ioWith(["key-3"], opened("qcow", "key-3"), "write -q -s verse 0 6k"),
    ],
  },
  {
    name: "qcow-aes-on-raw",
    features: ["qcow", "encrypted", "aes", "backing", "backing-raw"],
    others: ["verse"],
    passphrases: [KEYS.key],
    commands: [
      made("disk", "qcow", { size: "16k", backing: "verse", backingFormat: "raw" }),
      written("qcow", "write -q -P 3 1k 512", "write -q -P 4 9k 1k"),
    ],
  },
  {
    name: "qcow-aes-on-qcow-aes",
    features: ["qcow", "encrypted", "aes", "backing", "backing-qcow"],
    others: ["base"],
    passphrases: [KEYS.key, KEYS["key-2"]],
    commands: [
      made("base", "qcow", { key: "key-2", size: "16k" }),
      ioWith(["key-2"], opened("qcow", "key-2").replace("disk", "base"), "write -q -s verse 0 6k"),
      made("disk", "qcow", { size: "16k", backing: "base", backingFormat: "qcow" }),
      ioWith(["key", "key-2"], opened("qcow", "key", "key-2"), "write -q -P 3 1k 512"),
    ],
  },
];

export const AES: readonly Recipe[] = [...AES_IMAGES, ...QCOW_IMAGES];
