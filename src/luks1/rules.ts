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

/** The openings that need a passphrase. */
const withKey = ["read", "check", "write"] as const;

/** LUKS version 1, alone, with a detached header or inside qcow2, in the order in which QEMU looks. */
// deno-fmt-ignore: a table
const table = {
  "luks.open.key-present": ["qemu", "may", "refused-at-open", open,
    "The content of a volume is read with a passphrase.", withKey],
  "luks.open.secret-utf8": ["qemu", "may", "refused-at-open", "QEMU crypto/secret_common.c, qcrypto_secret_lookup_as_utf8",
    "A passphrase is UTF-8, and ends at its first NUL byte.", withKey],
  "luks.header.readable": ["spec", "must", "refused-at-open", header,
    "The header is complete: 592 bytes. What is missing of it reads as zeros."],
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
    "The payload starts behind the header and its padding, 4096 bytes in all, unless the header is detached."],
  "luks.detached.standalone": ["qemu", "must", "refused-at-open", check,
    "A header with payload-offset 0 is opened together with the file of its payload."],
  "luks.header.mk-iterations": ["spec", "must", "refused-at-open", header,
    "mk-digest-iter is at least 1."],
  "luks.slot.stripes": ["limit", "must", "refused-at-open", check,
    "Every key slot, also one that is disabled, has 4000 stripes."],
  "luks.slot.state": ["spec", "must", "refused-at-open", slots,
    "A key slot is enabled (0x00AC71F3) or disabled (0x0000DEAD)."],
  "luks.slot.iterations": ["spec", "must", "refused-at-open", slots,
    "An enabled key slot has at least 1 iteration."],
  "luks.slot.after-header": ["spec", "must", "refused-at-open", layout,
    "The key material of every slot, also of one that is disabled, is after the header."],
  "luks.slot.before-payload": ["spec", "must", "refused-at-open", layout,
    "The key material of every slot ends before the payload, unless the header is detached."],
  "luks.slot.no-overlap": ["spec", "must", "refused-at-open", layout,
    "The key materials of any two slots do not overlap."],
  "luks.slot.alignment": ["limit", "must", "refused-at-open", check,
    "Header and key materials do not overlap either when each is rounded up to 4096 bytes."],
  "luks.slot.end-range": ["spec", "must", "ignored", check,
    "The key material of every slot ends below sector 2^32. QEMU adds modulo 2^32."],
  "luks.slot.material-inside-file": ["spec", "must", "ignored", layout,
    "The key material of an enabled slot is inside the file. What is missing of it reads as zeros."],
  "luks.cipher.mode-dash": ["limit", "must", "refused-at-open", parse,
    "cipher-mode names an IV generator behind a '-', also for ecb, which has no IV."],
  "luks.cipher.ivhash-known": ["limit", "must", "refused-at-open", parse,
    "A hash behind the ':' of cipher-mode is one that QEMU knows, also where it has no effect."],
  "luks.cipher.mode-known": ["limit", "must", "refused-at-open", parse,
    "The mode is ecb, cbc, xts or ctr."],
  "luks.cipher.name-and-size": ["limit", "must", "refused-at-open", parse,
    "QEMU knows the cipher with this length of key, half of which counts in mode xts."],
  "luks.hash.known": ["limit", "must", "refused-at-open", parse,
    "hash-spec is md5, sha1, sha224, sha256, sha384, sha512, ripemd160 or sm3."],
  "luks.cipher.ivgen-known": ["limit", "must", "refused-at-open", parse,
    "The IV generator is plain, plain64 or essiv."],
  "luks.cipher.essiv-hash-present": ["spec", "must", "refused-at-open", registry,
    "The IV generator essiv names its hash behind a ':'."],
  "luks.cipher.essiv-key-size": ["spec", "must", "refused-at-open", registry,
    "The digest of the hash of essiv is as long as some key of the cipher."],
  "luks.cipher.dm-crypt": ["qemu", "may", "warning", dmCrypt,
    "The kernel's dm-crypt has the mode, and makes the vectors as cryptsetup does. What is read is what cryptsetup makes of it."],
  "luks.key.hash-supported": ["limit", "must", "refused-at-open", "QEMU crypto/pbkdf-nettle.c, qcrypto_pbkdf2",
    "QEMU's crypto backend has PBKDF2 with the hash of hash-spec.", withKey],
  "luks.key.cipher-supported": ["limit", "must", "refused-at-open", "QEMU crypto/cipher-nettle.c.inc, qcrypto_cipher_ctx_new",
    "QEMU's crypto backend has the cipher in this mode.", withKey],
  "luks.key.xts-even": ["spec", "must", "refused-at-open", "IEEE 1619-2007, 5.3 XTS-AES encryption procedure",
    "The key of mode xts is two keys of the same length.", withKey],
  "luks.key.material-sector-multiple": ["qemu", "must", "refused-at-open", "QEMU crypto/block.c, do_qcrypto_block_cipher_encdec",
    "The stripes of a key add up to a multiple of 512 bytes. QEMU aborts where they do not.", withKey],
  "luks.slot.any-enabled": ["spec", "should", "refused-at-open", layout,
    "At least one key slot is enabled.", withKey],
  "luks.key.unlock": ["spec", "may", "refused-at-open", recovery,
    "The passphrase opens an enabled key slot: the key in it has the digest mk-digest.", withKey],
  "luks.payload.inside-file": ["spec", "must", "refused-at-open", length,
    "The payload starts inside the file or at its end."],
  "luks.size.512": ["qemu", "should", "ignored", length,
    "The payload is a multiple of 512 bytes long. What is missing of its last sector reads as zeros, and is decrypted."],
  "luks.payload.alignment": ["qemu", "may", "ignored", check,
    "The payload may start at any sector; writers put it at a multiple of 4096 bytes."],
  "luks.header.uuid": ["spec", "should", "ignored", header,
    "uuid is the text of a UUID with a NUL byte at its end."],
  "luks.work.iterations-budget": ["qemu", "may", "warning", "diskproof, limits",
    "The iterations of all enabled key slots stay within a budget."],
  "luks.detached.option-known": ["qemu", "may", "refused-at-open", "QEMU block/crypto.c, block_crypto_open_generic",
    "A detached header is opened by QEMU 9.0 or a later version."],
  "luks.check.unsupported": ["qemu", "may", "ignored", "QEMU qemu-img.c, img_check",
    "LUKS has no refcounts, and check exits with 63."],
} as const satisfies RuleTable;

/** The slug of a rule of this table. */
export type Luks1Rule = keyof typeof table;

/** The rules, in the order in which an image is judged. */
export const luks1Rules: readonly Rule[] = defineRules(table);
