/** LUKS volumes that qemu-img creates. */
import {
  type Command,
  create,
  img,
  io,
  ioWith,
  ITER_TIME,
  KEYS,
  type Recipe,
  secrets,
} from "./recipe.ts";

/**
 * Every pair of cipher, key length, mode, IV generator and hash that qemu-img 7.2 supports, except
 * pairs of a key length and a hash: key material does not compress. qemu-img does not support XTS
 * with CAST5, whose blocks are too short, and aborts for keys of 24 bytes in other modes than XTS.
 * ESSIV requires a hash as long as a key of the cipher, SHA-256 or MD5. `LUKS_DEFAULTS` is one of
 * them.
 */
export const LUKS_PAIRS: readonly string[] = `
aes 16 cbc essiv:sha256 sha384
aes 16 cbc plain sha1
aes 16 ctr essiv:sha256 sha512
aes 16 ecb plain64 sha256
aes 16 xts essiv:sha256 md5
aes 24 xts essiv:sha256 ripemd160
aes 32 ctr essiv:md5 sha224
cast5 16 cbc essiv:md5 ripemd160
cast5 16 cbc plain sha256
cast5 16 cbc plain64 sha512
cast5 16 ctr essiv:md5 md5
cast5 16 ctr essiv:md5 sha1
cast5 16 ctr plain64 sha384
cast5 16 ecb plain sha224
serpent 16 ctr plain ripemd160
serpent 16 ecb essiv:md5 sha512
serpent 16 ecb plain sha384
serpent 24 xts essiv:md5 sha256
serpent 24 xts plain64 sha1
serpent 32 cbc essiv:sha256 sha224
serpent 32 ecb plain md5
twofish 16 ctr essiv:sha256 sha256
twofish 16 ecb essiv:sha256 sha1
twofish 16 ecb plain64 ripemd160
twofish 16 xts essiv:md5 sha384
twofish 16 xts plain64 sha224
twofish 24 xts plain sha512
twofish 32 cbc plain64 md5
`.trim().split("\n");

/** The defaults of qemu-img, in the same notation: `luks-defaults`. */
export const LUKS_DEFAULTS = "aes 32 xts plain64 sha256";

/** The options that create a volume. */
function options(row: string): string {
  const [cipher, bytes, mode, iv = "", hash] = row.split(" ");
  const [generator, ivHash] = iv.split(":");
  return [
    `cipher-alg=${cipher}-${Number(bytes) * 8}`,
    `cipher-mode=${mode}`,
    `ivgen-alg=${generator}`,
    ...(ivHash === undefined ? [] : [`ivgen-hash-alg=${ivHash}`]),
    `hash-alg=${hash}`,
  ].join(",");
}

const PAIRS: readonly Recipe[] = LUKS_PAIRS.map((row) => ({
  name: `luks-${row.replaceAll(/[ :]/g, "-")}`,
  features: ["luks", "encrypted", ...row.split(" ").map((it) => it.replace(/^\d+/, "key-$&"))],
  passphrases: [KEYS.key],
  commands: [encrypted("verse", options(row))],
}));

/** Encrypts a raw file into a volume, so that every sector is written. */
function encrypted(source: string, more: string, key: keyof typeof KEYS = "key"): Command {
  const all = [`key-secret=${key}`, ITER_TIME, ...(more === "" ? [] : [more])].join(",");
  return img(
    "convert",
    "-q",
    ...secrets(key),
    "-f",
    "raw",
    "-O",
    "luks",
    "-o",
    all,
    source,
    "disk",
  );
}

const VOLUME = "driver=luks,key-secret=key,file.filename=disk";
const SMALL = "cipher-alg=aes-128,cipher-mode=cbc,hash-alg=sha1";

/** Adds a key to a slot, with the existing key. */
function amended(change: string, ...keys: (keyof typeof KEYS)[]): Command {
  const image = `driver=luks,key-secret=${keys[0]},file.filename=disk`;
  return img("amend", "-q", ...secrets(...keys), "-o", change, "--image-opts", image);
}

const ADDED = amended(`state=active,new-secret=key-2,keyslot=3,${ITER_TIME}`, "key", "key-2");

const SLOTS: readonly Recipe[] = [
  {
    name: "luks-slot-added",
    features: ["luks", "encrypted", "key-slots"],
    passphrases: [KEYS["key-2"]],
    unlocks: [KEYS.key, KEYS["key-2"], KEYS["key-3"]],
    commands: [encrypted("verse", SMALL), ADDED],
  },
  {
    name: "luks-slot-erased",
    features: ["luks", "encrypted", "key-slots", "erased-slot"],
    passphrases: [KEYS["key-2"]],
    unlocks: [KEYS.key, KEYS["key-2"]],
    commands: [encrypted("verse", SMALL), ADDED, amended("state=inactive,keyslot=0", "key-2")],
  },
  {
    name: "luks-wrong-passphrase",
    features: ["luks", "encrypted", "wrong-passphrase"],
    passphrases: [KEYS["key-2"]],
    commands: [encrypted("verse", SMALL)],
  },
  {
    name: "luks-passphrase-long",
    features: ["luks", "encrypted", "long-passphrase"],
    passphrases: [KEYS["key-3"]],
    unlocks: [KEYS["key-3"], KEYS["key-3"].slice(0, -1)],
    commands: [encrypted("verse", SMALL.replace("sha1", "sha512"), "key-3")],
  },
];

const SIZES: readonly Recipe[] = [
  {
    name: "luks-empty",
    features: ["luks", "encrypted", "size"],
    passphrases: [KEYS.key],
    commands: [
      create("disk", "luks", {
        options: `key-secret=key,${ITER_TIME},${SMALL}`,
        size: 0,
        keys: ["key"],
      }),
    ],
  },
  {
    name: "luks-defaults",
    features: ["luks", "encrypted", "defaults", "aes", "key-32", "xts", "plain64", "sha256"],
    passphrases: [KEYS.key],
    unlocks: [KEYS.key],
    ranges: [{ start: 512, length: 1024 }],
    commands: [encrypted("verse", "")],
  },
  {
    // No content is stored: it is the decryption of zeros, which differs in each sector.
    name: "luks-defaults-sparse",
    features: ["luks", "encrypted", "defaults", "size", "large"],
    passphrases: [KEYS.key],
    contentVaries: true,
    ranges: [{ start: 7 * 2 ** 20 + 512, length: 66560 }],
    commands: [
      create("disk", "luks", {
        options: `key-secret=key,${ITER_TIME}`,
        size: "8M",
        keys: ["key"],
      }),
    ],
  },
  {
    name: "luks-grown",
    features: ["luks", "encrypted", "size"],
    passphrases: [KEYS.key],
    commands: [
      encrypted("verse", SMALL),
      img("resize", "-q", ...secrets("key"), "--image-opts", VOLUME, "5k"),
      ioWith(["key"], VOLUME, "write -q -P 0x5a 3k 2k"),
    ],
  },
  {
    // The rest of the last sector is decrypted as if it were stored as zeros.
    name: "luks-ends-in-a-sector",
    features: ["luks", "encrypted", "size", "odd-size"],
    passphrases: [KEYS.key],
    contentVaries: true,
    ranges: [{ start: 0, length: 2560 }],
    commands: [encrypted("verse", SMALL), io("disk", "raw", `truncate ${4096 + 8 * 65536 + 2700}`)],
  },
  {
    name: "luks-without-payload",
    features: ["luks", "encrypted", "size", "truncated"],
    passphrases: [KEYS.key],
    commands: [encrypted("verse", SMALL), io("disk", "raw", `truncate ${4096 + 65536}`)],
  },
];

/** A detached header and its payload. */
const DETACHED_OPTIONS = `key-secret=key,${ITER_TIME},${SMALL},detached-header=true`;

function detached(file: string): string {
  return `driver=luks,key-secret=key,${file},header.driver=file,header.filename=header`;
}

const DETACHED: readonly Recipe[] = [
  {
    name: "luks-detached-raw",
    features: ["luks", "encrypted", "detached-header"],
    since: "9.0",
    header: "header",
    others: ["header"],
    passphrases: [KEYS.key],
    unlocks: [KEYS.key],
    commands: [
      create("header", "luks", { options: DETACHED_OPTIONS, keys: ["key"] }),
      create("disk", "raw", { size: "8k" }),
      ioWith(["key"], detached("file.filename=disk"), "write -q -s verse 0 8k"),
    ],
  },
  {
    name: "luks-detached-qcow2",
    features: ["luks", "encrypted", "detached-header", "qcow2"],
    since: "9.0",
    header: "header",
    others: ["header"],
    passphrases: [KEYS.key],
    contentVaries: true,
    ranges: [{ start: 0, length: 8192 }],
    commands: [
      create("header", "luks", { options: DETACHED_OPTIONS, keys: ["key"] }),
      create("disk", "qcow2", { size: "64k", options: "cluster_size=4k" }),
      ioWith(
        ["key"],
        detached("file.driver=qcow2,file.file.filename=disk"),
        "write -q -s verse 0 8k",
        "write -q -P 0x77 40k 4k",
      ),
    ],
  },
];

export const LUKS: readonly Recipe[] = [...PAIRS, ...SLOTS, ...SIZES, ...DETACHED];
