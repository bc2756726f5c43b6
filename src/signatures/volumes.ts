import { ANYWHERE, at, fromEnd, KIB, MIB, raid, superblock } from "./builders.ts";
import type { Signature } from "./signature.ts";
import { isDdf, isLinuxRaid, isLvm2, isSilicon, isStratis, isVia } from "./unix.ts";
import { BITLOCKER, isBitlocker } from "./windows.ts";

const PROMISE = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087] as const;
const LVM2 = "LVM2 001";

/** Members of RAIDs and of volume managers, and encrypted volumes other than LUKS. */
export const volumes: readonly Signature[] = [
  raid("linux_raid_member", "a superblock of a Linux RAID", ANYWHERE, {
    check: isLinuxRaid,
    file: "linux_raid",
  }),
  raid(
    "ddf_raid_member",
    "a DDF RAID header",
    [1, 257].flatMap((sectors) => at(fromEnd(sectors), "\xde\x11\xde\x11", "\x11\xde\x11\xde")),
    { check: isDdf, file: "ddf_raid" },
  ),
  raid("isw_raid_member", "Intel RAID metadata", at(fromEnd(2), "Intel Raid ISM Cfg Sig. "), {
    file: "isw_raid",
  }),
  raid("lsi_mega_raid_member", "LSI RAID metadata", at(fromEnd(1), "$XIDE$"), { file: "lsi_raid" }),
  raid("via_raid_member", "VIA RAID metadata", at(fromEnd(1), "\x55\xaa"), {
    check: (file, _, place) => isVia(file, place),
    file: "via_raid",
  }),
  raid(
    "silicon_medley_raid_member",
    "Silicon Image RAID metadata",
    at((size) => fromEnd(1)(size) + 0x60, "\0\0\0\x2f"),
    { check: (file, _, place) => isSilicon(file, place), file: "silicon_raid" },
  ),
  raid("nvidia_raid_member", "NVIDIA RAID metadata", at(fromEnd(2), "NVIDIA"), {
    file: "nvidia_raid",
  }),
  raid(
    "promise_fasttrack_raid_member",
    "Promise RAID metadata",
    PROMISE.flatMap((sectors) => at(fromEnd(sectors), "Promise Technology, Inc.")),
    { file: "promise_raid" },
  ),
  raid(
    "hpt45x_raid_member",
    "HighPoint RAID metadata",
    at(fromEnd(11), "\xf3\x16\x78\x5a", "\xfd\x16\x78\x5a"),
    { file: "highpoint_raid" },
  ),
  raid(
    "hpt37x_raid_member",
    "HighPoint RAID metadata",
    at(4 * KIB + 544, "\xf0\x16\x78\x5a", "\xfd\x16\x78\x5a"),
    { file: "highpoint_raid" },
  ),
  raid("adaptec_raid_member", "Adaptec RAID metadata", at(fromEnd(1), "\x37\xfc\x4d\x1e"), {
    check: (file, _, place) => file.has(place + 256, "DPTM"),
    file: "adaptec_raid",
  }),
  raid("jmicron_raid_member", "JMicron RAID metadata", at(fromEnd(1), "JM"), {
    file: "jmicron_raid",
  }),
  superblock(
    "bcache",
    "a bcache superblock",
    at(4 * KIB + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
    { sizeMin: 8 * KIB, check: (file) => file.little64(4 * KIB + 8) === 8n },
  ),
  superblock("ceph_bluestore", "a Ceph BlueStore label", at(0, "bluestore block device"), {
    file: "bluestore",
  }),
  raid(
    "drbd",
    "DRBD metadata",
    at((size) => size - 4 * KIB + 60, "\x83\x74\x02\x6b", "\x83\x74\x02\x6c", "\x83\x74\x02\x6d"),
  ),
  superblock("drbdmanage_control_volume", "a control volume of DRBD Manage", at(0, "$DRBDmgr=q"), {
    sizeMin: 64 * KIB,
    file: "drbdmanage",
    check: (file) =>
      file.has(43, "\n") && /^[0-9A-Fa-f]{32}$/.test(String.fromCharCode(...file.bytes(11, 32))),
  }),
  superblock("drbdproxy_datalog", "a data log of DRBD Proxy", at(0, "DRBDdlh*"), {
    sizeMin: 16 * KIB,
  }),
  raid(
    "LVM2_member",
    "an LVM2 label",
    [0x218, 0x18, KIB + 0x18, KIB + 0x218].flatMap((place) => at(place, LVM2)),
    { check: (file, _, place) => isLvm2(file, place), file: "lvm" },
  ),
  raid("LVM1_member", "an LVM1 label", at(0, "HM"), {
    check: (file) => [1, 2].includes(file.little(2, 2)),
    file: "lvm",
  }),
  superblock("DM_snapshot_cow", "a device-mapper snapshot", at(0, "SnAp"), { file: "lvm" }),
  superblock("DM_verity_hash", "a dm-verity superblock", at(0, "verity\0\0"), {
    check: (file) => file.little(8, 4) === 1,
    file: "lvm",
  }),
  superblock("DM_integrity", "a dm-integrity superblock", at(0, "integrt\0"), {
    check: (file) => file.byte(8) !== 0,
    file: "lvm",
  }),
  raid("VMFS_volume_member", "a VMFS volume", at(MIB, "\x0d\xd0\x01\xc0"), { file: "vmfs" }),
  raid("ubi", "a UBI volume", at(0, "UBI#")),
  superblock("vdo", "a VDO volume", at(0, "dmvdo001")),
  raid(
    "stratis",
    "a Stratis superblock",
    [516, 4612].flatMap((place) => at(place, "!Stra0tis\x86\xff\x02^Arh")),
    { check: isStratis },
  ),
  superblock("BitLocker", "a BitLocker volume", BITLOCKER.map((bytes) => ({ offset: 0, bytes })), {
    check: isBitlocker,
    file: "bitlocker",
  }),
];
