import { defineRules, type Rule, type RuleTable } from "../rules/mod.ts";

/** What holds for every format, because QEMU's block layer or our own caution says so. */
// deno-fmt-ignore: a table
const table = {
  "blk.probe.nonempty": ["qemu", "may", "ignored", "QEMU block.c, find_image_format",
    "A file of length 0 has no format and is raw."],
  "blk.probe.version": ["qemu", "may", "ignored", "QEMU block/qcow.c, qcow_probe; block/qcow2.c, qcow2_probe",
    "The qcow magic with version 0 is no qcow image: it is raw."],
  "blk.probe.luks-version": ["qemu", "may", "ignored", "QEMU crypto/block-luks.c, qcrypto_block_luks_has_format",
    "The LUKS magic with a version other than 1 is raw to QEMU."],
  "blk.probe.foreign": ["qemu", "may", "unknown", "QEMU block.c, find_image_format",
    "The format that probing finds is one that diskproof reads."],
  "blk.io.past-eof": ["qemu", "may", "ignored", "QEMU block/io.c, bdrv_aligned_preadv",
    "What is past the end of the file reads as zeros."],
  "blk.size.total-sectors": ["limit", "must", "refused-at-open", "QEMU block.c, bdrv_co_refresh_total_sectors",
    "The virtual size is at most 2^63 - 2^30 bytes."],
  "blk.backing.driver-known": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_fill_options",
    "The named backing format is one that QEMU has a driver for.", ["read", "check", "write"]],
  "blk.backing.driver-usable": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_fill_options",
    "The named backing format is a driver that opens a file by its name alone.", ["read", "check", "write"]],
  "blk.backing.protocol-known": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_find_protocol",
    "What is before a colon in the backing file name is a protocol that QEMU has a driver for.", ["read", "check", "write"]],
  "blk.backing.json-valid": ["qemu", "must", "refused-at-open", "QEMU block.c, parse_json_filename",
    "A json: name is a JSON object that says how QEMU opens the backing file.", ["read", "check", "write"]],
  "blk.backing.opens": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_open_backing_file",
    "Every image of the backing chain opens.", ["read", "check", "write"]],
  "blk.backing.relative-json": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_dirname",
    "A relative backing name needs an overlay that is one file in a directory.", ["read", "check", "write"]],
  "blk.backing.no-loop": ["qemu", "must", "refused-at-open", "QEMU qemu-img.c, collect_image_info_list",
    "A backing chain ends: no image is its own backing file.", ["read", "check", "write"]],
  "blk.backing.short": ["spec", "may", "ignored", "qcow2.txt, Cluster mapping",
    "Where the backing file is shorter than the overlay, the rest reads as zeros."],
  "blk.name.nul": ["qemu", "should", "ignored", "QEMU block/qcow2.c, qcow2_do_open",
    "A name ends at the first NUL byte in it."],
  "diskproof.work.budget": ["limit", "must", "warning", "diskproof, limits",
    "What an image makes a reader do stays in proportion to its size."],
  "blk.backing.foreign": ["qemu", "may", "unknown", "QEMU block.c, bdrv_open_backing_file",
    "The format of a backing file is one that diskproof reads."],
  "blk.backing.not-followed": ["qemu", "may", "unknown", "diskproof, the root directory",
    "A backing file is opened only below the root directory, and only where its name is that of a file."],
  "blk.datafile.not-followed": ["qemu", "may", "unknown", "diskproof, the root directory",
    "A data file is opened only below the root directory."],
} as const satisfies RuleTable;

/** The slug of a rule of this table. */
export type BlockRule = keyof typeof table;

/** The rules, in the order in which an image is judged. */
export const blockRules: readonly Rule[] = defineRules(table);
