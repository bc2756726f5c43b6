import { concat } from "../../src/bytes/mod.ts";
import {
  big,
  checked,
  crc,
  KIB,
  latin1,
  little,
  magic,
  type Plant,
  type Put,
  put,
} from "./plant.ts";

function nilfs(): Uint8Array {
  const superblock = new Uint8Array(280);
  superblock.set(little(0x3434, 2), 6);
  superblock.set(little(280, 2), 8);
  superblock.set(little(7), 12);
  superblock.set(little(crc(superblock, 7)), 16);
  return superblock;
}

function xfs(text: string): Put[] {
  return [
    put(0, concat(latin1(text), big(4096), big(4000, 8))),
    put(80, concat(big(1), big(1000), big(4))),
    put(102, concat(big(512, 2), big(512, 2))),
    put(120, Uint8Array.of(12, 9, 9, 3)),
    put(127, Uint8Array.of(25)),
  ];
}

const fat: readonly Put[] = [
  put(0, "\xeb\x3c\x90MSDOS5.0\0\x02\x04\x01\0\x02\0\x02\0\0\xf8\x40\0"),
  put(32, little(40000)),
  put(510, "\x55\xaa"),
];

/** File systems, their journals and swap space. */
export const fileSystems: readonly Plant[] = [
  checked("vfat", [...fat, put(54, "FAT16   ")], put(13, "\x03"), put(446, "\x01")),
  checked("vfat", fat, put(54, "HPFS    "), put(446, "\x01")),
  checked(
    "vfat",
    [
      ...fat,
      put(22, "\0\0"),
      put(36, little(100)),
      put(48, "\x01\0"),
      put(0x52, "FAT32   "),
      put(512, "RRaA"),
      put(996, "rrAa"),
    ],
    // It is not even a DOS partition table then.
    put(512, "RRbA"),
  ),
  magic("swsuspend", 0xff6, "S1SUSPEND"),
  magic("swsuspend", 0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"),
  checked(
    "swap",
    [put(0xff6, "SWAPSPACE2"), put(KIB, concat(little(1), little(9)))],
    put(KIB + 4, little(0)),
  ),
  checked("swap", [put(0x1ff6, "SWAPSPACE2"), put(KIB, concat(big(1), big(9)))], put(KIB, big(2))),
  magic("swap", 0xfff6, "SWAP-SPACE"),
  checked("xfs", xfs("XFSB"), put(127, Uint8Array.of(101))),
  checked("xfs", xfs("XFSB"), put(8, big(4001, 8))),
  checked("exfs", xfs("EXFS"), put(123, Uint8Array.of(4))),
  checked(
    "xfs_external_log",
    [put(1536, "\xfe\xed\xba\xbe"), put(1544, concat(big(2), big(512))), put(1836, big(1))],
    put(1836, big(4)),
  ),
  checked("ext2", [put(0x438, "\x53\xef")], put(0x460, "\x04")),
  { name: "ext3", puts: [put(0x438, "\x53\xef"), put(0x45c, "\x04")] },
  { name: "ext4", puts: [put(0x438, "\x53\xef"), put(0x460, "\x40")] },
  { name: "ext4dev", puts: [put(0x438, "\x53\xef"), put(0x460, "\x40"), put(0x560, "\x04")] },
  { name: "jbd", puts: [put(0x438, "\x53\xef"), put(0x460, "\x08")] },
  checked(
    "reiserfs",
    [
      put(64 * KIB + 0x34, "ReIsEr2Fs"),
      put(64 * KIB + 44, little(4096, 2)),
      put(64 * KIB + 12, little(16)),
    ],
    put(64 * KIB + 12, little(15)),
  ),
  magic("reiser4", 64 * KIB, "ReIsEr4"),
  checked(
    "jfs",
    [
      put(32 * KIB, "JFS1"),
      put(
        32 * KIB + 16,
        concat(little(4096), little(12, 2), little(3, 2), little(512), little(9, 2)),
      ),
    ],
    put(32 * KIB + 22, little(4, 2)),
  ),
  checked(
    "udf",
    [
      put(32769, "BEA01"),
      put(34817, "NSR02"),
      put(131072, little(2, 2)),
      put(131084, little(256)),
    ],
    put(131084, little(257)),
  ),
  checked("iso9660", [put(32768, "\x01CD001")], put(32768, "\x02")),
  magic("iso9660", 32777, "CDROM"),
  checked(
    "zfs_member",
    [128, 129, 200, 130].map((kib) => put(kib * KIB, little(0x00bab10cn, 8))),
    put(200 * KIB, "\0"),
  ),
  checked("hfsplus", [put(KIB, "H+"), put(KIB + 40, big(512))], put(KIB + 40, big(511))),
  checked(
    "hfsplus",
    [
      put(KIB, "BD"),
      put(KIB + 28, big(2, 2)),
      put(KIB + 20, big(1024)),
      put(KIB + 124, "H+"),
      put(KIB + 126, big(3, 2)),
      put(5 * KIB, "HX"),
      put(5 * KIB + 40, big(4096)),
    ],
    put(5 * KIB, "HY"),
  ),
  checked("hfs", [put(KIB, "BD"), put(KIB + 20, big(512))], put(KIB + 20, big(513))),
  magic("ufs", 1372, "\x54\x19\x01\0"),
  magic("ufs", 8 * KIB + 1372, "\x19\x54\x01\x19"),
  checked(
    "hpfs",
    [put(8 * KIB, "\x49\xe8\x95\xf9"), put(0x2200, "\x49\x18\x91\xf9")],
    put(0x2200, "\0"),
  ),
  magic("sysv", 9 * KIB + 1016, "\x20\x7e\x18\xfd"),
  magic("xenix", 2 * KIB, "\x2b\x55\x44"),
  checked(
    "ntfs",
    [
      put(3, "NTFS    "),
      put(11, "\0\x02\x08"),
      put(40, concat(little(100000, 8), little(4, 8), little(8, 8), latin1("\xf6"))),
      put(16384, "FILE"),
      put(16384 + 3072, "FILE"),
    ],
    put(16384 + 3072, "FILF"),
  ),
  magic("ReFS", 0, "\0\0\0ReFS\0"),
  magic("cramfs", 0, "\x45\x3d\xcd\x28"),
  magic("romfs", 0, "-rom1fs-"),
  checked(
    "minix",
    [
      put(KIB, concat(...[100, 1000, 1, 1, 10, 0].map((word) => little(word, 2)))),
      put(KIB + 16, "\x7f\x13\x01"),
    ],
    put(KIB + 4, "\0"),
  ),
  checked(
    "minix",
    [
      put(KIB, concat(...[100, 1000, 1, 1, 10, 0].map((word) => big(word, 2)))),
      put(KIB + 16, "\x24\x68\0\x01"),
      put(KIB + 20, big(1000)),
    ],
    put(KIB + 18, "\0\x04"),
  ),
  checked(
    "minix",
    [
      put(KIB, concat(little(100), ...[0, 1, 1, 10, 0].map((word) => little(word, 2)))),
      put(KIB + 20, little(1000)),
      put(KIB + 24, "\x5a\x4d"),
    ],
    put(KIB + 10, little(1001, 2)),
  ),
  checked("gfs", [
    put(64 * KIB, "\x01\x16\x19\x70"),
    put(64 * KIB + 24, concat(big(1309), big(1401))),
  ], put(64 * KIB + 24, big(1308))),
  checked("gfs2", [
    put(64 * KIB, "\x01\x16\x19\x70"),
    put(64 * KIB + 24, concat(big(1899), big(1999))),
  ], put(64 * KIB + 28, big(2000))),
  magic("ocfs", 8 * KIB, "OracleCFS"),
  magic("ocfs2", 4 * KIB, "OCFSV2"),
  magic("oracleasm", 32, "ORCLDISK"),
  magic("vxfs", KIB, "\xf5\xfc\x01\xa5"),
  { name: "squashfs", puts: [put(0, "hsqs"), put(28, little(4, 2))] },
  checked("squashfs3", [put(0, "sqsh"), put(28, big(3, 2))], put(28, big(4, 2))),
  magic("nss", 4 * KIB, "SPB5"),
  magic("btrfs", 64 * KIB + 0x40, "_BHRfS_M"),
  magic("ubifs", 0, "\x31\x18\x10\x06"),
  magic("bfs", 0, "\xce\xfa\xad\x1b"),
  magic("VMFS", 2048 * KIB, "\x5e\xf1\xab\x2f"),
  checked(
    "befs",
    [
      put(32, concat(...[0x42465331, 0x42494745, 2048, 11].map((word) => little(word)))),
      put(68, little(0xdd121031)),
      put(112, little(0x15b6830e)),
      put(116, concat(little(0), little(4, 2), little(1, 2))),
      put(8192, little(0x3bbe0ad9)),
    ],
    put(8192, little(0)),
  ),
  checked("nilfs2", [put(KIB, nilfs())], put(KIB + 20, "\x01")),
  checked("exfat", [put(3, "EXFAT   "), put(108, "\x09\x03")], put(108, "\x1f\x01")),
  magic("f2fs", KIB, "\x10\x20\xf5\xf2"),
  checked("mpool", [put(0, "mpoolDev"), put(62, little(0x602cacaf))], put(8, "x")),
  checked(
    "apfs",
    [put(24, "\x01"), put(32, concat(latin1("NXSB"), little(4096)))],
    put(28, "\x01"),
  ),
  magic("zonefs", 0, "SFOZ"),
  magic("erofs", KIB, "\xe2\xe1\xf5\xe0"),
];
