import { defineRules, type Rule, type RuleTable } from "../rules/mod.ts";

/** Rules for every format, from QEMU's block layer and diskproof's own limits. */
// deno-fmt-ignore: a table
const table = {
  "blk.probe.nonempty": ["qemu", "may", "ignored", "QEMU block.c, find_image_format",
    "A file of length 0 has no format and is raw."],
  "blk.probe.version": ["qemu", "may", "ignored", "QEMU block/qcow.c, qcow_probe; block/qcow2.c, qcow2_probe",
    "A file with the qcow magic and version 0 is raw."],
  "blk.probe.luks-version": ["qemu", "may", "ignored", "QEMU crypto/block-luks.c, qcrypto_block_luks_has_format",
    "QEMU treats a file with the LUKS magic and a version other than 1 as raw."],
  "blk.probe.foreign": ["qemu", "may", "unknown", "QEMU block.c, find_image_format",
    "diskproof supports the format that probing detects."],
  "blk.probe.remains": ["qemu", "may", "ignored", "QEMU block.c, find_image_format",
    "QEMU treats an image without its header as raw."],
  "blk.io.past-eof": ["qemu", "may", "ignored", "QEMU block/io.c, bdrv_aligned_preadv",
    "Bytes past the end of the file read as zeros."],
  "blk.size.total-sectors": ["limit", "must", "refused-at-open", "QEMU block.c, bdrv_co_refresh_total_sectors",
    "The virtual size is at most 2^63 - 2^30 bytes."],
  "blk.backing.driver-known": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_fill_options",
    "QEMU has a driver for the named backing format.", ["read", "check", "write"]],
  "blk.backing.driver-usable": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_fill_options",
    "The driver of the named backing format can open a file by its name alone.", ["read", "check", "write"]],
  "blk.backing.protocol-known": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_find_protocol",
    "QEMU has a driver for the protocol before the colon in the backing file name.", ["read", "check", "write"]],
  "blk.backing.json-valid": ["qemu", "must", "refused-at-open", "QEMU block.c, parse_json_filename",
    "A json: name is a JSON object with valid options for opening the backing file.", ["read", "check", "write"]],
  "blk.backing.opens": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_open_backing_file",
    "Every image of the backing chain can be opened.", ["read", "check", "write"]],
  "blk.backing.relative-json": ["qemu", "must", "refused-at-open", "QEMU block.c, bdrv_dirname",
    "A relative backing file name requires an overlay that is a single file in a directory.", ["read", "check", "write"]],
  "blk.backing.no-loop": ["qemu", "must", "refused-at-open", "QEMU qemu-img.c, collect_image_info_list",
    "The backing chain contains no loop.", ["read", "check", "write"]],
  "blk.backing.short": ["spec", "may", "ignored", "qcow2.txt, Cluster mapping",
    "If the backing file is shorter than the overlay, the rest reads as zeros."],
  "blk.name.nul": ["qemu", "should", "ignored", "QEMU block/qcow2.c, qcow2_do_open",
    "A name contains no NUL byte. QEMU truncates it at the first one."],
  "diskproof.work.budget": ["limit", "must", "warning", "diskproof, limits",
    "The work for reading an image is proportional to its size."],
  "blk.backing.foreign": ["qemu", "may", "unknown", "QEMU block.c, bdrv_open_backing_file",
    "diskproof supports the format of the backing file."],
  "blk.backing.not-followed": ["qemu", "may", "unknown", "diskproof, the root directory",
    "A backing file is opened only if its name is a file name and it is below the root directory."],
  "blk.datafile.not-followed": ["qemu", "may", "unknown", "diskproof, the root directory",
    "A data file is opened only below the root directory."],
} as const satisfies RuleTable;

/** The slug of a rule of this table. */
export type BlockRule = keyof typeof table;

/** The rules, in the order in which an image is judged. */
export const blockRules: readonly Rule[] = defineRules(table);
