/**
 * The smallest superblocks and partition tables that libblkid recognises, and the nearest ones that it
 * does not. cryptsetup is asked about each of them.
 */

import { crc32 } from "node:zlib";
import { concat } from "../../src/bytes/mod.ts";
import { fileSystems } from "./file_systems.ts";
import {
  big,
  checked,
  crc,
  KIB,
  latin1,
  little,
  magic,
  type Plant,
  put,
  SECTOR,
  SIZE,
} from "./plant.ts";

function gptHeader(): Uint8Array {
  const last = SIZE / SECTOR - 1;
  const head = (sum: number): Uint8Array =>
    concat(
      ...[latin1("EFI PART"), little(0x10000), little(92), little(sum), little(0)],
      ...[1, last, 34, last - 33].map((block) => little(block, 8)),
      ...[new Uint8Array(16).fill(7), little(2, 8), little(128), little(128)],
      little(crc32(new Uint8Array(128 * 128))),
    );
  return head(crc32(head(0)));
}

function lvm2Label(): Uint8Array {
  const rest = new Uint8Array(SECTOR - 20);
  rest.set(concat(little(32), latin1("LVM2 001")));
  return concat(latin1("LABELONE"), little(1, 8), little(crc(rest, 0xf597a6cf)), rest);
}

const partitionTables: readonly Plant[] = [
  magic("aix", 0, "\xc9\xc2\xd4\xc1"),
  checked("sgi", [put(0, big(0x0be5a941)), put(504, big(0xf41a56bf))], put(504, big(0xf41a56be))),
  checked("sun", [put(508, "\xda\xbe\xda\xbe")], put(510, "\xda\xbf")),
  checked("dos", [put(510, "\x55\xaa")], put(446, "\x01")),
  { name: "PMBR", puts: [put(510, "\x55\xaa"), put(450, "\xee")] },
  {
    name: "gpt",
    puts: [put(510, "\x55\xaa"), put(450, "\xee"), put(512, gptHeader())],
  },
  checked("mac", [put(0, concat(latin1("ER"), big(512, 2))), put(512, "PM")], put(512, "PN")),
  checked("ultrix", [put(16312, concat(little(0x032957), little(1)))], put(16316, little(2))),
  checked(
    "unixware",
    [put(29174, "\x0d\x60\xe5\xca"), put(29 * SECTOR + 156, little(0x600ddeee))],
    put(29 * SECTOR + 156, little(0x600ddeef)),
  ),
  checked("solaris", [put(524, concat(big(0xeede0d60), little(1)))], put(528, little(2))),
  checked(
    "atari",
    [put(0x1c2, big(1000)), put(0x1c6, concat(latin1("\x01GEM"), big(2), big(100)))],
    put(0x1c6, "\0"),
  ),
];

const volumes: readonly Plant[] = [
  checked(
    "linux_raid_member",
    [put(4 * KIB, concat(little(0xa92b4efc), little(1))), put(4 * KIB + 144, little(8, 8))],
    put(4 * KIB + 144, little(9, 8)),
  ),
  checked(
    "linux_raid_member",
    [put(-64 * KIB, little(0xa92b4efc))],
    put(-64 * KIB + 32, little(SIZE)),
  ),
  checked(
    "linux_raid_member",
    [
      put(-8 * KIB, concat(little(0xa92b4efc), little(1))),
      put(-8 * KIB + 144, little(SIZE / 512 - 16, 8)),
    ],
    put(-8 * KIB + 4, little(2)),
  ),
  checked(
    "ddf_raid_member",
    [
      put(-SECTOR, "\xde\x11\xde\x11"),
      put(-SECTOR + 96, big(8, 8)),
      put(4 * KIB, "\xde\x11\xde\x11"),
    ],
    put(4 * KIB, "\xde\x11\xde\x12"),
  ),
  magic("isw_raid_member", -2 * SECTOR, "Intel Raid ISM Cfg Sig. "),
  magic("lsi_mega_raid_member", -SECTOR, "$XIDE$"),
  checked(
    "via_raid_member",
    [put(-SECTOR, "\x55\xaa\x01"), put(-SECTOR + 50, "\0")],
    put(-SECTOR + 50, "\x01"),
  ),
  checked(
    "silicon_medley_raid_member",
    [put(-SECTOR + 96, little(0x2f000000)), put(-SECTOR + 0x13e, little(0xd100, 2))],
    put(-SECTOR + 0x116, "\x08"),
  ),
  magic("nvidia_raid_member", -2 * SECTOR, "NVIDIA"),
  magic("promise_fasttrack_raid_member", -256 * SECTOR, "Promise Technology, Inc."),
  magic("hpt45x_raid_member", -11 * SECTOR, "\xf3\x16\x78\x5a"),
  magic("hpt37x_raid_member", 4 * KIB + 544, "\xf0\x16\x78\x5a"),
  checked(
    "adaptec_raid_member",
    [put(-SECTOR, "\x37\xfc\x4d\x1e"), put(-SECTOR + 256, "DPTM")],
    put(-SECTOR + 256, "DPTN"),
  ),
  magic("jmicron_raid_member", -SECTOR, "JM"),
  checked(
    "bcache",
    [
      put(4 * KIB + 8, little(8, 8)),
      put(4 * KIB + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
    ],
    put(4 * KIB + 8, little(9, 8)),
  ),
  magic("ceph_bluestore", 0, "bluestore block device"),
  magic("drbd", -4 * KIB + 60, "\x83\x74\x02\x6b"),
  checked(
    "drbdmanage_control_volume",
    [put(0, `$DRBDmgr=q${"\0"}${"0123456789abcDEF".repeat(2)}\n`)],
    put(42, "g"),
  ),
  magic("drbdproxy_datalog", 0, "DRBDdlh*"),
  checked("LVM2_member", [put(512, lvm2Label())], put(512 + 20, little(33))),
  checked("LVM1_member", [put(0, "HM\x01\0")], put(2, "\x03")),
  magic("DM_snapshot_cow", 0, "SnAp"),
  checked("DM_verity_hash", [put(0, "verity\0\0\x01")], put(8, "\x02")),
  checked("DM_integrity", [put(0, "integrt\0\x01")], put(8, "\0")),
  magic("VMFS_volume_member", 1024 * KIB, "\x0d\xd0\x01\xc0"),
  magic("ubi", 0, "UBI#"),
  magic("vdo", 0, "dmvdo001"),
  checked(
    "stratis",
    [put(512, concat(little(0xcf6e2167), latin1("!Stra0tis\x86\xff\x02^Arh")))],
    put(512, little(0)),
  ),
  magic("BitLocker", 0, "\xeb\x52\x90-FVE-FS-"),
  checked(
    "BitLocker",
    [put(0, "\xeb\x58\x90-FVE-FS-"), put(176, little(4096, 8)), put(4096, "-FVE-FS-")],
    put(4096, "-FVE-FT-"),
  ),
  checked(
    "BitLocker",
    [put(0, "\xeb\x58\x90MSWIN4.1"), put(440, little(4096, 8)), put(4096, "-FVE-FS-")],
    put(440, little(0, 8)),
  ),
];

/** At least one for each signature of the table. */
export const plants: readonly Plant[] = [...partitionTables, ...volumes, ...fileSystems];
