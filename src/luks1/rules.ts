import { defineRules, type Rule, type RuleTable } from "../rules/mod.ts";

const header = "LUKS1 On-Disk Format 1.2.3, 3.1 Version 1, Figure 1";
const slots = "LUKS1 On-Disk Format 1.2.3, 3.1 Version 1, Figure 2";
const layout = "LUKS1 On-Disk Format 1.2.3, 4.1 Initialisation";
const recovery = "LUKS1 On-Disk Format 1.2.3, 4.3 Master key recovery";
const registry = "LUKS1 On-Disk Format 1.2.3, Appendix B, Table 2";
const open = "QEMU crypto/block-luks.c, qcrypto_block_luks_open";
const check = "QEMU crypto/block-luks.c, qcrypto_block_luks_check_header";
const parse = "QEMU crypto/block-luks.c, qcrypto_block_luks_parse_header";
const dmCrypt = "Linux drivers/md/dm-crypt.c, crypt_iv_benbi_ctr, crypt_iv_eboiv_gen";
const length = "QEMU block/crypto.c, block_crypto_co_getlength";

/** The openings that require a passphrase. */
const withKey = ["read", "check", "write"] as const;

/** LUKS version 1: in its own file, with a detached header or inside qcow2, in QEMU's order. */
// deno-fmt-ignore: a table
export const luks1RuleTable = {
  "luks.open.key-present": ["qemu", "may", "refused-at-open", open,
    "Reading the content of a volume requires a passphrase.", withKey],
  "luks.open.secret-utf8": ["qemu", "may", "refused-at-open", "QEMU crypto/secret_common.c, qcrypto_secret_lookup_as_utf8",
    "A passphrase is UTF-8, and ends at its first NUL byte.", withKey],
  "luks.header.readable": ["spec", "must", "refused-at-open", header,
    "The header is complete (592 bytes). Missing bytes read as zeros."],
  "luks.header.magic": ["spec", "must", "refused-at-open", header,
    "The volume starts with the magic 'LUKS\\xba\\xbe'."],
  "luks.header.version": ["spec", "must", "refused-at-open", header,
    "The version is 1."],
  "luks.header.cipher-nul": ["spec", "must", "refused-at-open", header,
    "cipher-name ends with a NUL byte within its 32 bytes."],
  "luks.header.mode-nul": ["spec", "must", "refused-at-open", header,
    "cipher-mode ends with a NUL byte within its 32 bytes."],
  "luks.header.hash-nul": ["spec", "must", "refused-at-open", header,
    "hash-spec ends with a NUL byte within its 32 bytes."],
  "luks.header.payload-after-header": ["spec", "must", "refused-at-open", layout,
    "The payload starts after the header and its padding (4096 bytes), unless the header is detached."],
  "luks.detached.standalone": ["qemu", "must", "refused-at-open", check,
    "A header with payload-offset 0 is opened together with its payload file."],
  "luks.header.mk-iterations": ["spec", "must", "refused-at-open", header,
    "mk-digest-iter is at least 1."],
  "luks.slot.stripes": ["limit", "must", "refused-at-open", check,
    "Every key slot, enabled or disabled, has 4000 stripes."],
  "luks.slot.state": ["spec", "must", "refused-at-open", slots,
    "A key slot is enabled (0x00AC71F3) or disabled (0x0000DEAD)."],
  "luks.slot.iterations": ["spec", "must", "refused-at-open", slots,
    "An enabled key slot has at least 1 iteration."],
  "luks.slot.after-header": ["spec", "must", "refused-at-open", layout,
    "The key material of every slot, enabled or disabled, is after the header."],
  "luks.slot.before-payload": ["spec", "must", "refused-at-open", layout,
    "The key material of every slot ends before the payload, unless the header is detached."],
  "luks.slot.no-overlap": ["spec", "must", "refused-at-open", layout,
    "The key material of one slot does not overlap that of another."],
  "luks.slot.alignment": ["limit", "must", "refused-at-open", check,
    "The header and the key material of each slot, each rounded up to 4096 bytes, do not overlap."],
  "luks.slot.end-range": ["spec", "must", "ignored", check,
    "The key material of every slot ends below sector 2^32. QEMU computes the end modulo 2^32."],
  "luks.slot.material-inside-file": ["spec", "must", "ignored", layout,
    "The key material of an enabled slot is inside the file. Missing bytes read as zeros."],
  "luks.slot.material-random": ["spec", "should", "warning", "LUKS1 On-Disk Format 1.2.3, 2.4 Anti-forensic information splitting",
    "The key material of an enabled key slot is encrypted, and so is random. If a part of it was erased or overwritten, no passphrase opens the slot."],
  "luks.cipher.mode-dash": ["limit", "must", "refused-at-open", parse,
    "cipher-mode names an IV generator after a '-', even for ecb, which uses no IV."],
  "luks.cipher.ivhash-known": ["limit", "must", "refused-at-open", parse,
    "QEMU supports the hash after the ':' of cipher-mode, even if the hash has no effect."],
  "luks.cipher.mode-known": ["limit", "must", "refused-at-open", parse,
    "The mode is ecb, cbc, xts or ctr."],
  "luks.cipher.name-and-size": ["limit", "must", "refused-at-open", parse,
    "QEMU supports the cipher with this key length (in xts mode, with half of it)."],
  "luks.hash.known": ["limit", "must", "refused-at-open", parse,
    "hash-spec is md5, sha1, sha224, sha256, sha384, sha512, ripemd160 or sm3."],
  "luks.cipher.ivgen-known": ["limit", "must", "refused-at-open", parse,
    "The IV generator is plain, plain64 or essiv."],
  "luks.cipher.essiv-hash-present": ["spec", "must", "refused-at-open", registry,
    "The IV generator essiv names its hash after a ':'."],
  "luks.cipher.essiv-key-size": ["spec", "must", "refused-at-open", registry,
    "The digest length of the essiv hash is a key length of the cipher."],
  "luks.cipher.dm-crypt": ["qemu", "may", "warning", dmCrypt,
    "The kernel's dm-crypt supports the mode and computes the same IVs as cryptsetup. Content is read as cryptsetup reads it."],
  "luks.key.hash-supported": ["limit", "must", "refused-at-open", "QEMU crypto/pbkdf-nettle.c, qcrypto_pbkdf2",
    "QEMU's crypto backend supports PBKDF2 with the hash of hash-spec.", withKey],
  "luks.key.cipher-supported": ["limit", "must", "refused-at-open", "QEMU crypto/cipher-nettle.c.inc, qcrypto_cipher_ctx_new",
    "QEMU's crypto backend supports the cipher in this mode.", withKey],
  "luks.key.xts-even": ["spec", "must", "refused-at-open", "IEEE 1619-2007, 5.3 XTS-AES encryption procedure",
    "In xts mode, the key consists of two keys of the same length.", withKey],
  "luks.key.material-sector-multiple": ["qemu", "must", "refused-at-open", "QEMU crypto/block.c, do_qcrypto_block_cipher_encdec",
    "The stripes of a key have a total length that is a multiple of 512 bytes. Otherwise QEMU aborts.", withKey],
  "luks.slot.any-enabled": ["spec", "should", "refused-at-open", layout,
    "At least one key slot is enabled.", withKey],
  "luks.key.unlock": ["spec", "may", "refused-at-open", recovery,
    "The passphrase opens an enabled key slot: the key in it has the digest mk-digest.", withKey],
  "luks.payload.inside-file": ["spec", "must", "refused-at-open", length,
    "The payload of a detached header starts inside its file or at its end."],
  "luks.payload.header-alone": ["qemu", "may", "refused-at-open", length,
    "The file does not end before its payload. A file that does is a header alone, such as one that cryptsetup luksHeaderBackup writes."],
  "luks.payload.empty": ["qemu", "may", "ignored", "cryptsetup lib/luks1/keymanage.c, LUKS_hdr_backup",
    "The file does not end where its payload starts. A file that does is an empty volume, or a header alone."],
  "luks.size.512": ["qemu", "should", "ignored", length,
    "The payload is a multiple of 512 bytes long. Missing bytes of the last sector read as zeros, and the sector is decrypted with them."],
  "luks.payload.alignment": ["qemu", "may", "ignored", check,
    "The payload may start at any sector; writers put it at a multiple of 4096 bytes."],
  "luks.header.uuid": ["spec", "should", "ignored", header,
    "uuid is a UUID as text, terminated by a NUL byte."],
  "luks.work.iterations-budget": ["qemu", "may", "warning", "diskproof, limits",
    "The iterations of all enabled key slots are within the budget."],
  "luks.detached.option-known": ["qemu", "may", "refused-at-open", "QEMU block/crypto.c, block_crypto_open_generic",
    "Opening a detached header requires QEMU 9.0 or later."],
  "luks.check.unsupported": ["qemu", "may", "ignored", "QEMU qemu-img.c, img_check",
    "LUKS has no refcounts, and check exits with 63."],
} as const satisfies RuleTable;

/** The slug of a rule of this table. */
export type Luks1Rule = keyof typeof luks1RuleTable;

/** The rules, in the order in which an image is judged. */
export const luks1Rules: readonly Rule[] = defineRules(luks1RuleTable);
