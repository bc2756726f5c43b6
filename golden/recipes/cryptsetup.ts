/** LUKS volumes that cryptsetup creates. qemu-io writes their content if it opens them. */
import { type Command, create, cryptsetup, io, ioWith, KEYS, KIB, type Recipe } from "./recipe.ts";

/** Bytes of the header, and of the material of a key of 16 bytes up to the next multiple of 4096. */
const HEADER = 4096;
const MATERIAL = 64 * KIB;
/** The default offset of the payload, and its offset when aligned to 8 sectors. */
const DENSE = HEADER + 8 * MATERIAL;
const PAYLOAD = 3 * KIB;

interface Making {
  /** In cryptsetup's notation. */
  readonly cipher?: string;
  readonly keyBits?: number;
  readonly hash?: string;
  /** The alignment of the payload in sectors, and its offset in bytes. */
  readonly align?: number;
  readonly payload?: number;
  /** Bytes of the payload. */
  readonly size?: number;
}

/**
 * Creates a volume. cryptsetup fills the key material of all slots with noise, which does not
 * compress: if the slots have the usual size, that of unused slots is set back to zeros.
 */
function made(making: Making = {}): Command[] {
  const { cipher = "aes-cbc-plain64", keyBits = 128, hash = "sha256" } = making;
  const { align = 8, payload = DENSE, size = PAYLOAD } = making;
  const material = Math.ceil((4000 * keyBits) / 8 / 4096) * 4096;
  const options = ["--type", "luks1", "--key-file", "key", "--cipher", cipher];
  const more = ["--key-size", String(keyBits), "--hash", hash, "--align-payload", String(align)];
  return [
    create("disk", "raw", { size: payload + size }),
    cryptsetup("luksFormat", ...options, ...more, "disk"),
    io("disk", "raw", `write -q -P 0 ${HEADER + material} ${7 * material}`),
  ];
}

const VOLUME = "driver=luks,key-secret=key,file.filename=disk";
const FILLED = ioWith(["key"], VOLUME, "write -q -s verse 0 3k");

/** Adds the key in a file to a slot. */
function added(slot: number, key: string, old = "key"): Command {
  return cryptsetup("luksAddKey", "--key-file", old, "--key-slot", String(slot), "disk", key);
}

const FEATURES = ["luks", "encrypted", "cryptsetup"];

/** Volumes that qemu-img opens. */
const OPENED: readonly (readonly [name: string, making: Making])[] = [
  ["aligned-to-8", {}],
  ["aligned-to-2048", { align: 2048, payload: 1024 * KIB }],
  ["aligned-to-3000", { align: 3000, payload: 1500 * KIB }],
  ["aes-xts-plain64", {
    cipher: "aes-xts-plain64",
    keyBits: 256,
    hash: "sha512",
    payload: HEADER + 16 * MATERIAL,
  }],
  ["aes-ctr-plain", { cipher: "aes-ctr-plain", hash: "sha224" }],
  ["aes-cbc-essiv-sha256", { cipher: "aes-cbc-essiv:sha256", hash: "ripemd160" }],
  ["one-sector", { size: 512 }],
];

const CONTENT: readonly Recipe[] = OPENED.map(([name, making]) => ({
  name: `cryptsetup-${name}`,
  features: [...FEATURES, "payload-alignment"],
  passphrases: [KEYS.key],
  unlocks: [KEYS.key, KEYS["key-2"]],
  commands: [
    ...made(making),
    making.size === undefined ? FILLED : ioWith(["key"], VOLUME, `write -q -P 7 0 ${making.size}`),
  ],
}));

const SLOTS: readonly Recipe[] = [
  {
    name: "cryptsetup-slots-eight",
    features: [...FEATURES, "key-slots"],
    passphrases: [KEYS["key-3"]],
    unlocks: [KEYS.key, KEYS["key-2"], KEYS["key-3"]],
    commands: [
      ...made(),
      FILLED,
      added(7, "key-3"),
      added(3, "key-2"),
      ...[1, 2, 4, 5, 6].map((slot) => added(slot, "key")),
    ],
  },
  {
    name: "cryptsetup-slot-killed",
    features: [...FEATURES, "key-slots", "erased-slot"],
    passphrases: [KEYS["key-2"]],
    unlocks: [KEYS.key, KEYS["key-2"]],
    commands: [...made(), FILLED, added(2, "key-2"), cryptsetup("luksKillSlot", "disk", "0")],
  },
  {
    name: "cryptsetup-all-slots-killed",
    features: [...FEATURES, "key-slots", "erased-slot", "wrong-passphrase"],
    passphrases: [KEYS.key],
    unlocks: [KEYS.key],
    commands: [...made(), FILLED, cryptsetup("luksKillSlot", "disk", "0")],
  },
  {
    name: "cryptsetup-key-changed",
    features: [...FEATURES, "key-slots", "erased-slot"],
    passphrases: [KEYS["key-2"]],
    unlocks: [KEYS.key, KEYS["key-2"]],
    commands: [
      ...made(),
      FILLED,
      cryptsetup("luksChangeKey", "--key-file", "key", "disk", "key-2"),
    ],
  },
];

const APART = "header.driver=file,header.filename=header";

const APART_RECIPES: readonly Recipe[] = [
  {
    name: "cryptsetup-header-backup",
    features: [...FEATURES, "detached-header", "header-backup"],
    since: "9.0",
    header: "header",
    others: ["header"],
    passphrases: [KEYS.key],
    unlocks: [KEYS.key],
    commands: [
      ...made(),
      FILLED,
      cryptsetup("luksHeaderBackup", "disk", "--header-backup-file", "header"),
      // The volume's own header is lost.
      io("disk", "raw", `write -q -P 0 0 ${HEADER}`),
    ],
  },
  {
    name: "cryptsetup-detached",
    features: [...FEATURES, "detached-header"],
    since: "9.0",
    header: "header",
    others: ["header"],
    passphrases: [KEYS.key],
    unlocks: [KEYS.key],
    commands: [
      create("disk", "raw", { size: PAYLOAD }),
      create("header", "raw", { size: DENSE }),
      cryptsetup(
        "luksFormat",
        ...["--type", "luks1", "--key-file", "key", "--cipher", "aes-cbc-plain64"],
        ...["--key-size", "128", "--header", "header", "disk"],
      ),
      io("header", "raw", `write -q -P 0 ${HEADER + MATERIAL} ${7 * MATERIAL}`),
      ioWith(["key"], `${VOLUME},${APART}`, "write -q -s verse 0 3k"),
    ],
  },
];

/** Volumes whose content qemu-img does not read: it rejects the IV generator, or the lack of one. */
const REFUSED: readonly Recipe[] = ["aes-cbc-plain64be", "aes-cbc-null", "aes-ecb"].map((
  cipher,
) => ({
  name: `cryptsetup-${cipher}`,
  features: [...FEATURES, "refused"],
  passphrases: [KEYS.key],
  unlocks: [KEYS.key, KEYS["key-2"]],
  commands: made({ cipher }),
}));

/**
 * This cryptsetup does not create Camellia volumes, so the name of the cipher replaces another one.
 */
const RENAMED: Recipe = {
  name: "cryptsetup-camellia-by-name",
  features: [...FEATURES, "refused", "camellia"],
  passphrases: [KEYS.key],
  commands: [
    ...made(),
    io(
      "disk",
      "raw",
      ...[..."camellia"].map((letter, at) => {
        return `write -q -P ${letter.charCodeAt(0)} ${8 + at} 1`;
      }),
    ),
  ],
};

export const CRYPTSETUP: readonly Recipe[] = [
  ...CONTENT,
  ...SLOTS,
  ...APART_RECIPES,
  ...REFUSED,
  RENAMED,
];
