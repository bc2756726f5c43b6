import { type CipherSpec, decodeLuks1, specOf } from "../../../src/luks1/mod.ts";
import { type RuleId, ruleOf } from "../../../src/rules/mod.ts";
import type { Divergence, Observation } from "../../compare/mod.ts";

/** Hashes that every build of cryptsetup supports. */
const HASHES: readonly string[] = ["sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"];

const STRIPES = 4000;

/** Names of ciphers that libluksde supports. */
const LUKSDE_CIPHERS = ["aes", "blowfish", "cast5", "cast6", "serpent", "twofish"];

/** AES key lengths in bytes that cryptsetup's library supports, by mode. */
const AES_KEYS: Readonly<Record<string, readonly number[]>> = {
  cbc: [16, 24, 32],
  // OpenSSL has no XTS with AES-192.
  xts: [32, 64],
};

/** Rules of the format that a tool does not check when it reports a header, with the reason. */
interface Lenience {
  readonly tool: Observation["tool"];
  readonly name: string;
  /** The divergence is reported under the first one. */
  readonly rules: readonly [RuleId, ...RuleId[]];
  readonly because: string;
}

const LENIENCES: readonly Lenience[] = [
  {
    tool: "luksdeinfo",
    name: "header-alone",
    rules: [
      "luks.slot.state",
      "luks.slot.iterations",
      "luks.slot.after-header",
      "luks.slot.before-payload",
      "luks.slot.no-overlap",
      "luks.header.cipher-nul",
      "luks.header.mode-nul",
      "luks.header.hash-nul",
      "luks.header.mk-iterations",
      "luks.header.payload-after-header",
      "luks.cipher.essiv-hash-present",
      "luks.cipher.essiv-key-size",
    ],
    because: "libluksde reports a header before it checks its key slots (libluksde " +
      "libluksde/libluksde_volume_header.c)",
  },
  {
    tool: "cryptsetup",
    name: "slot-state",
    rules: ["luks.slot.state", "luks.slot.iterations", "luks.header.mk-iterations"],
    because: "LUKS_check_keyslots checks stripes and offsets, but not states and iterations (" +
      "cryptsetup lib/luks1/keymanage.c)",
  },
  {
    tool: "cryptsetup",
    name: "payload-is-not-opened",
    rules: ["luks.payload.inside-file"],
    because:
      "luksDump reads a detached header alone; the size of the payload is compared when the " +
      "volume is activated (cryptsetup src/cryptsetup.c, action_luksDump; lib/utils_device.c, " +
      "device_block_adjust)",
  },
  {
    tool: "cryptsetup",
    name: "unterminated-text",
    rules: ["luks.header.cipher-nul", "luks.header.mode-nul", "luks.header.hash-nul"],
    because: "_check_and_convert_hdr puts a NUL byte at the end of each text (" +
      "cryptsetup lib/luks1/keymanage.c)",
  },
  {
    tool: "cryptsetup",
    name: "names-when-used",
    rules: ["luks.cipher.essiv-hash-present", "luks.cipher.essiv-key-size"],
    because: "LUKS_read_phdr does not check cipher and mode until they are used (" +
      "cryptsetup lib/luks1/keymanage.c)",
  },
];

/** All rules that a tool does not check. */
function unchecked(tool: Observation["tool"]): RuleId[] {
  return LENIENCES.filter((lenience) => lenience.tool === tool).flatMap(({ rules }) => rules);
}

/** Where the tools differ over LUKS volumes. */
export const luks1Divergences: readonly Divergence[] = [
  {
    name: "qemu-abort-for-24-byte-keys",
    rule: "luks.key.material-sector-multiple",
    because:
      "4000 stripes of 24 bytes are not a whole number of sectors: QEMU 7.2.22, 10.0.13 and 11.1.3 " +
      "abort when a passphrase is tried (crypto/block.c, do_qcrypto_block_cipher_encdec asserts " +
      "QEMU_IS_ALIGNED). cryptsetup pads the last sector, and so does the reference.",
    explains: ({ tool, outcome, rules }) =>
      tool === "qemu-img" && outcome === "crashed" &&
      rules.includes("luks.key.material-sector-multiple"),
  },
  {
    name: "qemu-sm3-since-9.2",
    rule: "luks.hash.known",
    because: "QEMU has the hash SM3 since 9.2 (qapi/crypto.json, QCryptoHashAlgo).",
    explains: (observed) =>
      observed.tool === "qemu-img" && observed.outcome === "rejected" &&
      isBefore(observed.version, 9, 2) &&
      [specIn(observed)?.hash, specIn(observed)?.ivHash].includes("sm3"),
  },
  {
    name: "qemu-sm4-since-9.0",
    rule: "luks.cipher.name-and-size",
    because: "QEMU has the cipher SM4 since 9.0 (qapi/crypto.json, QCryptoCipherAlgo).",
    explains: (observed) =>
      observed.tool === "qemu-img" && observed.outcome === "rejected" &&
      isBefore(observed.version, 9, 0) && specIn(observed)?.cipher === "sm4",
  },
  {
    name: "cryptsetup-hash-of-20-bytes",
    rule: "luks.hash.known",
    because:
      "cryptsetup accepts any hash of its library with a digest of at least 20 bytes (cryptsetup " +
      "lib/luks1/keymanage.c, _check_and_convert_hdr: crypt_hmac_size below LUKS_DIGESTSIZE).",
    explains: (observed) =>
      observed.tool === "cryptsetup" && observed.outcome !== "accepted" &&
      /Requested LUKS hash/.test(observed.said ?? "") &&
      !HASHES.includes(specIn(observed)?.hash ?? ""),
  },
  {
    name: "cryptsetup-needs-the-kernel",
    rule: "luks.key.cipher-supported",
    because:
      "Without AF_ALG and the device mapper, cryptsetup can decrypt key material only with the " +
      "ciphers of its library: AES and a few others with the usual key lengths, and IV generators " +
      "without an unused hash " +
      "(cryptsetup lib/luks1/keyencryption.c, LUKS_decrypt_from_storage; lib/crypto_backend).",
    explains: (observed) =>
      observed.tool === "cryptsetup" && observed.question === "unlock" &&
      observed.outcome === "unsupported" && /device-mapper|kernel/.test(observed.said ?? "") &&
      !isOfLibrary(specIn(observed)),
  },
  {
    name: "cryptsetup-file-size",
    rule: "luks.slot.material-inside-file",
    because:
      "cryptsetup requires the key material of all eight slots to be inside the file, even of " +
      "disabled slots (cryptsetup lib/luks1/keymanage.c, LUKS_check_device_size). QEMU and the reference " +
      "read zeros past the end of the file.",
    explains: ({ tool, outcome, said }) =>
      tool === "cryptsetup" && outcome === "rejected" && /is too small/.test(said ?? ""),
  },
  {
    name: "cryptsetup-4000-stripes",
    rule: "luks.slot.stripes",
    because: "The header may contain any number of stripes; cryptsetup and QEMU accept only 4000 " +
      "(cryptsetup lib/luks1/keymanage.c, LUKS_check_keyslots).",
    explains: ({ tool, outcome, said, rules }) =>
      tool === "cryptsetup" && outcome === "rejected" && /keyslot \d is invalid/.test(said ?? "") &&
      rules.includes("luks.slot.stripes"),
  },
  {
    name: "cryptsetup-detached-with-payload-offset",
    rule: "luks.slot.before-payload",
    because: "cryptsetup compares key materials with every payload offset but 0 (cryptsetup " +
      "lib/luks1/keymanage.c, LUKS_check_keyslots); QEMU and the reference do not if the payload " +
      "is in another file.",
    explains: ({ tool, question, outcome, said, image }) =>
      tool === "cryptsetup" && question === "info" && outcome === "rejected" &&
      image?.header !== undefined && /keyslot \d is invalid/.test(said ?? ""),
  },
  {
    name: "cryptsetup-sums-of-64-bits",
    rule: "luks.slot.end-range",
    because:
      "cryptsetup treats key material that ends past sector 2^32 as after the payload (cryptsetup " +
      "lib/luks1/keymanage.c, LUKS_check_keyslots); QEMU adds modulo 2^32 and opens the volume.",
    explains: ({ tool, question, outcome, said, rules }) =>
      tool === "cryptsetup" && question === "info" && outcome === "rejected" &&
      /keyslot \d is invalid/.test(said ?? "") && rules.includes("luks.slot.end-range"),
  },
  {
    name: "cryptsetup-header-by-itself",
    rule: "luks.detached.standalone",
    because:
      "cryptsetup treats a header with payload offset 0 as detached however it is opened, and " +
      "does not limit where its key materials end (cryptsetup lib/luks1/keymanage.c, " +
      "LUKS_check_keyslots); QEMU requires the file with the payload.",
    explains: (observed) =>
      observed.tool === "cryptsetup" && observed.question === "info" &&
      observed.outcome === "accepted" && observed.rules.includes("luks.detached.standalone") &&
      refusalsOf(observed).every((rule) =>
        ["luks.slot.before-payload", "luks.header.payload-after-header"].includes(rule) ||
        unchecked("cryptsetup").includes(rule)
      ),
  },
  {
    name: "cryptsetup-key-length",
    rule: "luks.cipher.name-and-size",
    because:
      "cryptsetup rejects a header whose key is empty, or whose key materials are longer than " +
      "2^32 bytes (cryptsetup lib/luks1/keymanage.c, LUKS_check_device_size and " +
      "LUKS_check_keyslots); QEMU multiplies modulo 2^32, and rejects the cipher with such a key.",
    explains: (observed) =>
      observed.tool === "cryptsetup" && observed.question === "info" &&
      observed.outcome === "rejected" && observed.rules.includes("luks.cipher.name-and-size") &&
      !isBetween(specIn(observed)?.keyBytes, 1, (2 ** 32 - 1) / STRIPES),
  },
  {
    name: "cryptsetup-text-of-39-bytes",
    rule: "luks.header.uuid",
    because: "_check_and_convert_hdr puts a NUL byte at the end of the UUID (cryptsetup " +
      "lib/luks1/keymanage.c); QEMU reads on to the next NUL byte.",
    explains: ({ tool, outcome, path, rules }) =>
      tool === "cryptsetup" && outcome === "accepted" && path === "/uuid" &&
      rules.includes("luks.header.uuid"),
  },
  {
    name: "luksdeinfo-cipher-names",
    rule: "luks.cipher.name-and-size",
    because:
      "libluksde supports seven cipher names, in any case; camellia and sm4 are missing (libluksde " +
      "libluksde/libluksde_volume_header.c, libluksde_volume_parse_encryption_method).",
    explains: (observed) =>
      observed.tool === "luksdeinfo" && observed.outcome === "accepted" &&
      observed.path === "/cipher" && !LUKSDE_CIPHERS.includes(specIn(observed)?.cipher ?? ""),
  },
  {
    name: "luksdeinfo-key-length",
    rule: "luks.cipher.name-and-size",
    because: "libluksde rejects a volume whose key is empty or longer than 64 bytes (libluksde " +
      "libluksde/libluksde_volume.c, libluksde_internal_volume_open_read). QEMU supports no " +
      "cipher with such a key.",
    explains: (observed) =>
      observed.tool === "luksdeinfo" && observed.outcome === "rejected" &&
      /master key size value out of bounds/.test(observed.said ?? "") &&
      !isBetween(specIn(observed)?.keyBytes, 1, 64) &&
      observed.rules.includes("luks.cipher.name-and-size"),
  },
  {
    name: "luksdeinfo-uuid",
    rule: "luks.header.uuid",
    because: "libluksde rejects a volume whose UUID is malformed (libluksde " +
      "libluksde/libluksde_volume_header.c, libluksde_volume_header_read_data: libfguid).",
    explains: ({ tool, outcome, said, rules }) =>
      tool === "luksdeinfo" && outcome === "rejected" && /libfguid/.test(said ?? "") &&
      rules.includes("luks.header.uuid"),
  },
  {
    name: "luksdeinfo-empty-payload",
    rule: "luks.payload.inside-file",
    because:
      "libluksde requires at least one sector of payload (libluksde libluksde/libluksde_volume.c, " +
      "libluksde_volume_open_read_keys); QEMU opens a volume of 0 bytes.",
    explains: ({ tool, outcome, said }) =>
      tool === "luksdeinfo" && outcome === "rejected" &&
      /start sector value out of bounds/.test(said ?? ""),
  },
  ...LENIENCES.map(lenient),
];

/** A tool reports a header that breaks one of these rules, and no rule that the tool checks. */
function lenient({ tool, name, rules, because }: Lenience): Divergence {
  return {
    name: `${tool}-${name}`,
    rule: rules[0],
    because: `${because}. The format forbids such a header.`,
    explains: (observed) => {
      const refusals = refusalsOf(observed);
      return observed.tool === tool && observed.question === "info" &&
        observed.outcome === "accepted" && refusals.some((rule) => rules.includes(rule)) &&
        refusals.every((rule) => unchecked(tool).includes(rule));
    },
  };
}

/** The rules of the format for which the reference rejects a header. */
function refusalsOf({ rules }: Observation): readonly RuleId[] {
  return rules.filter((rule) => {
    const { class: ruleClass, effect, opens } = ruleOf(rule);
    return ruleClass === "spec" && effect === "refused-at-open" &&
      (opens?.includes("info") ?? true);
  });
}

/** The encryption of a volume according to its header. */
function specIn({ image }: Observation): CipherSpec | undefined {
  if (image?.format !== "luks") return undefined;
  return specOf(decodeLuks1(image.header ?? image.source));
}

/** Whether a key length is unknown or in this range. */
function isBetween(value: number | undefined, min: number, max: number): boolean {
  return value === undefined || value >= min && value <= max;
}

/** Whether a version, such as `7.2.22`, is older than another one. */
function isBefore(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor < major || ownMajor === major && ownMinor < minor;
}

/** Whether every cryptsetup decrypts such key material without the kernel. */
function isOfLibrary(spec: CipherSpec | undefined): boolean {
  return spec?.cipher === "aes" && (AES_KEYS[spec.mode]?.includes(spec.keyBytes) ?? false) &&
    ["plain", "plain64"].includes(spec.ivGenerator ?? "") && spec.ivHash === undefined;
}
