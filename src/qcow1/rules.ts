import { defineRules, type Rule, type RuleTable } from "../rules/mod.ts";

const open = "QEMU block/qcow.c, qcow_open";
const read = "QEMU block/qcow.c, qcow_co_preadv";
const lookup = "QEMU block/qcow.c, get_cluster_offset";
const inflate = "QEMU block/qcow.c, decompress_buffer";
const write = "QEMU block/qcow.c, qcow_co_pwritev";

/** qcow version 1. The format has no specification: `spec` marks what its layout clearly implies. */
// deno-fmt-ignore: a table
const table = {
  "qcow1.header.readable": ["qemu", "may", "ignored", open,
    "The header is complete. Missing bytes read as zeros."],
  "qcow1.header.magic": ["spec", "must", "refused-at-open", open,
    "The file starts with the magic 'QFI\\xfb'."],
  "qcow1.header.version": ["spec", "must", "refused-at-open", open,
    "The version is 1."],
  "qcow1.header.size-min": ["limit", "must", "refused-at-open", open,
    "The size is at least 2 bytes."],
  "qcow1.header.cluster-bits": ["limit", "must", "refused-at-open", open,
    "cluster_bits is 9 to 16."],
  "qcow1.header.l2-bits": ["limit", "must", "refused-at-open", open,
    "l2_bits is 6 to 13."],
  "qcow1.crypt.method": ["spec", "must", "refused-at-open", open,
    "crypt_method is 0 or 1."],
  "qcow1.crypt.key-present": ["qemu", "may", "refused-at-open", "QEMU crypto/block-qcow.c, qcrypto_block_qcow_open",
    "Reading the content of an encrypted image requires its passphrase.", ["read", "check", "write"]],
  "qcow1.header.size-overflow": ["limit", "must", "refused-at-open", open,
    "The size plus the range that one L1 entry covers is below 2^64."],
  "qcow1.l1.count-max": ["limit", "must", "refused-at-open", open,
    "The L1 table has at most (2^31 - 1) / 8 entries."],
  "qcow1.l1.request-max": ["limit", "must", "refused-at-open", "QEMU block/io.c, bdrv_check_request32",
    "The L1 table is at most 2^31 - 512 bytes long: it is read in one request."],
  "qcow1.l1.offset-range": ["limit", "must", "refused-at-open", "QEMU block/io.c, bdrv_check_qiov_request",
    "The L1 table ends at or below 2^63 - 2^30."],
  "qcow1.l1.alignment": ["qemu", "may", "ignored", open,
    "The L1 table may be at any offset; writers put it at a multiple of 8."],
  "qcow1.backing.name-length": ["limit", "must", "refused-at-open", open,
    "The backing file name is at most 1023 bytes long."],
  "qcow1.backing.offset-range": ["limit", "must", "refused-at-open", "QEMU block/io.c, bdrv_check_qiov_request",
    "The backing file name ends at or below 2^63 - 2^30."],
  "qcow1.backing.empty": ["qemu", "may", "ignored", open,
    "An empty backing file name, or one that starts with NUL, means no backing file."],
  "qcow1.header.size-512": ["qemu", "must", "ignored", open,
    "The size is a multiple of 512; QEMU rounds it down."],
  "qcow1.header.padding-mtime": ["qemu", "may", "ignored", open,
    "Readers ignore mtime and padding."],
  "qcow1.l1e.range": ["limit", "must", "fails-at-access", lookup,
    "An L2 table ends at or below 2^63 - 2^30."],
  "qcow1.l2.alignment": ["qemu", "may", "ignored", lookup,
    "An L2 table may be at any offset; writers put it at a multiple of the cluster size."],
  "qcow1.l2e.sector-aligned": ["spec", "must", "fails-at-access", read,
    "An uncompressed cluster is at a multiple of 512."],
  "qcow1.l2e.cluster-aligned": ["qemu", "may", "ignored", read,
    "An uncompressed cluster need not be at a multiple of the cluster size."],
  "qcow1.l2e.range": ["limit", "must", "fails-at-access", "QEMU block/io.c, bdrv_check_qiov_request",
    "The part of an uncompressed cluster that the guest sees ends at or below 2^63 - 2^30."],
  "qcow1.comp.readable": ["qemu", "may", "ignored", "QEMU block/qcow.c, decompress_cluster",
    "Compressed data is inside the file. Missing bytes read as zeros."],
  "qcow1.comp.inflate": ["spec", "must", "fails-at-access", inflate,
    "Compressed data is a raw deflate stream of one cluster."],
  "qcow1.comp.length-nonzero": ["spec", "must", "fails-at-access", inflate,
    "Compressed data is not empty."],
  "qcow1.check.unsupported": ["qemu", "may", "ignored", "QEMU qemu-img.c, img_check",
    "qcow version 1 has no refcounts, and check exits with 63."],
  "qcow1.write.sector-aligned": ["qemu", "must", "refused-at-write", write,
    "An uncompressed cluster that is overwritten is at a multiple of 512."],
  "qcow1.write.partial-compressed": ["qemu", "must", "refused-at-write", lookup,
    "A compressed cluster that is partly overwritten can be decompressed."],
  "qcow1.create.size-nonzero": ["qemu", "must", "refused-at-write", "QEMU block/qcow.c, qcow_co_create",
    "An image is created with a size above 0."],
} as const satisfies RuleTable;

/** The slug of a rule of this table. */
export type Qcow1Rule = keyof typeof table;

/** The rules, in the order in which an image is judged. */
export const qcow1Rules: readonly Rule[] = defineRules(table);
