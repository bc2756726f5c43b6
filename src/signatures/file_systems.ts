import { ANYWHERE, at, FLOPPY, KIB, MIB, superblock } from "./builders.ts";
import type { Fields, Magic, Signature } from "./signature.ts";
import {
  extKind,
  isBefs,
  isHfs,
  isHfsPlus,
  isIso9660,
  isJfs,
  isMinix,
  isMpool,
  isNilfs,
  isReiserfs,
  isSwap,
  isUdf,
  isXfs,
  isXfsLog,
  isZfs,
} from "./unix.ts";
import { FAT_MAGICS, isExfat, isNtfs, isWholeFat, NTFS_MAGIC } from "./windows.ts";

/** The kinds of ext share their magic, and differ by features. */
function ext(name: string, title: string): Signature {
  const check = (file: Fields): boolean => extKind(file) === name;
  return superblock(name, title, at(KIB + 0x38, "\x53\xef"), { check, file: "ext" });
}

function gfs(
  name: string,
  title: string,
  [least, most, multi]: readonly [number, number, number],
): Signature {
  return superblock(name, title, at(64 * KIB, "\x01\x16\x19\x70"), {
    sizeMin: 32 * MIB,
    file: "gfs",
    check: (file) => {
      const [format, multihost] = [file.big(64 * KIB + 24, 4), file.big(64 * KIB + 28, 4)];
      return format >= least && format <= most && multihost >= multi &&
        multihost - multi <= most - least;
    },
  });
}

const PAGES = [0xff6, 0x1ff6, 0x3ff6, 0x7ff6, 0xfff6] as const;
const ofPages = (...texts: readonly string[]): Magic[] =>
  PAGES.flatMap((place) => at(place, ...texts));
const swapSize = { sizeMin: 10 * 4 * KIB, file: "swap" } as const;
const UFS = [
  "\x19\x01\x54\x19",
  "\x54\x19\x01\0",
  "\x12\x56\x19\0",
  "\x14\x50\x09\0",
  "\x95\x21\x61\0",
  "\x94\x19\x23\x05",
];
const eitherOrder = (texts: readonly string[]): string[] =>
  texts.flatMap((text) => [text, text.split("").reverse().join("")]);

/** File systems, their journals, and swap space. */
export const fileSystems: readonly Signature[] = [
  superblock("vfat", "a FAT boot sector", FAT_MAGICS, { check: isWholeFat }),
  superblock("swsuspend", "a hibernation image", [
    ...at(0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"),
    ...ofPages("S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001"),
  ], swapSize),
  superblock("swap", "swap space", ofPages("SWAP-SPACE", "SWAPSPACE2"), {
    ...swapSize,
    check: isSwap,
  }),
  superblock("xfs", "an XFS superblock", at(0, "XFSB"), { check: isXfs }),
  superblock("xfs_external_log", "an external log of XFS", ANYWHERE, {
    sizeMin: 10 * MIB,
    check: isXfsLog,
    file: "xfs",
  }),
  superblock("exfs", "an EXFS superblock", at(0, "EXFS"), { check: isXfs }),
  ext("ext4dev", "an ext4dev superblock"),
  ext("ext4", "an ext4 superblock"),
  ext("ext3", "an ext3 superblock"),
  ext("ext2", "an ext2 superblock"),
  ext("jbd", "an external journal of ext4"),
  superblock("reiserfs", "a ReiserFS superblock", [
    ...at(8 * KIB + 0x34, "ReIsErFs"),
    ...at(64 * KIB + 0x34, "ReIsEr2Fs", "ReIsEr3Fs", "ReIsErFs"),
    ...at(8 * KIB + 20, "ReIsErFs"),
  ], { sizeMin: 128 * KIB, check: (file, _, place) => isReiserfs(file, place) }),
  superblock("reiser4", "a Reiser4 superblock", at(64 * KIB, "ReIsEr4"), {
    sizeMin: 128 * KIB,
    file: "reiserfs",
  }),
  superblock("jfs", "a JFS superblock", at(32 * KIB, "JFS1"), { sizeMin: 16 * MIB, check: isJfs }),
  superblock(
    "udf",
    "a UDF file system",
    at(32 * KIB + 1, "BEA01", "BOOT2", "CD001", "CDW02", "NSR02", "NSR03", "TEA01"),
    { check: isUdf },
  ),
  superblock("iso9660", "an ISO 9660 file system", [
    ...at(32 * KIB + 1, "CD001"),
    ...at(32 * KIB + 9, "CDROM"),
  ], { check: isIso9660 }),
  superblock("zfs_member", "a ZFS label", ANYWHERE, {
    sizeMin: 64 * MIB,
    check: isZfs,
    file: "zfs",
  }),
  superblock("hfsplus", "an HFS+ volume header", at(KIB, "BD", "H+", "HX"), {
    check: isHfsPlus,
    file: "hfs",
  }),
  superblock("hfs", "an HFS volume header", at(KIB, "BD"), { check: isHfs }),
  superblock(
    "ufs",
    "a UFS superblock",
    [0, 8, 64, 256].flatMap((kib) => at(kib * KIB + 1372, ...eitherOrder(UFS))),
  ),
  superblock("hpfs", "an HPFS superblock", at(8 * KIB, "\x49\xe8\x95\xf9"), {
    check: (file) => file.has(0x2200, "\x49\x18\x91\xf9"),
  }),
  superblock(
    "sysv",
    "a System V superblock",
    [0, 9, 15, 18].flatMap((kib) =>
      at(kib * KIB + 512 + 504, "\x20\x7e\x18\xfd", "\xfd\x18\x7e\x20")
    ),
  ),
  superblock("xenix", "a Xenix superblock", at(2 * KIB, "\x2b\x55\x44", "\x44\x55\x2b"), {
    file: "sysv",
  }),
  superblock("ntfs", "an NTFS boot sector", [NTFS_MAGIC], { check: isNtfs }),
  superblock("ReFS", "a ReFS boot sector", at(0, "\0\0\0ReFS\0"), { file: "refs" }),
  superblock("cramfs", "a cramfs superblock", at(0, "\x45\x3d\xcd\x28", "\x28\xcd\x3d\x45")),
  superblock("romfs", "a romfs superblock", at(0, "-rom1fs-")),
  superblock("minix", "a Minix superblock", [
    ...at(KIB + 0x10, ...eitherOrder(["\x7f\x13", "\x8f\x13", "\x68\x24", "\x78\x24"])),
    ...at(KIB + 0x18, "\x5a\x4d", "\x4d\x5a"),
  ], { check: isMinix }),
  gfs("gfs", "a GFS superblock", [1309, 1309, 1401]),
  gfs("gfs2", "a GFS2 superblock", [1800, 1899, 1900]),
  superblock("ocfs", "an OCFS header", at(8 * KIB, "OracleCFS"), { sizeMin: 14000 * KIB }),
  superblock(
    "ocfs2",
    "an OCFS2 superblock",
    [1, 2, 4, 8].flatMap((kib) => at(kib * KIB, "OCFSV2")),
    { sizeMin: 14000 * KIB, file: "ocfs" },
  ),
  superblock("oracleasm", "an Oracle ASM label", at(32, "ORCLDISK"), { file: "ocfs" }),
  superblock("vxfs", "a VxFS superblock", [
    ...at(KIB, "\xf5\xfc\x01\xa5"),
    ...at(8 * KIB, "\xa5\x01\xfc\xf5"),
  ]),
  superblock("squashfs", "a squashfs superblock", at(0, "hsqs"), {
    check: (file) => file.little(28, 2) >= 4,
  }),
  superblock("squashfs3", "a squashfs superblock", at(0, "sqsh", "hsqs"), {
    check: (file, magic) => file[magic[0] === 0x73 ? "big" : "little"](28, 2) <= 3,
    file: "squashfs",
  }),
  superblock("nss", "a NetWare superblock", at(4 * KIB, "SPB5"), { file: "netware" }),
  superblock("btrfs", "a Btrfs superblock", at(64 * KIB + 0x40, "_BHRfS_M"), { sizeMin: MIB }),
  superblock("ubifs", "a UBIFS superblock", at(0, "\x31\x18\x10\x06")),
  superblock("bfs", "a BFS superblock", at(0, "\xce\xfa\xad\x1b")),
  superblock("VMFS", "a VMFS file system", at(2 * MIB, "\x5e\xf1\xab\x2f"), { file: "vmfs" }),
  superblock("befs", "a BeFS superblock", [32, 544].flatMap((place) => at(place, "BFS1", "1SFB")), {
    sizeMin: FLOPPY,
    check: (file, _, place) => isBefs(file, place),
  }),
  superblock("nilfs2", "a NILFS2 superblock", ANYWHERE, {
    sizeMin: MIB,
    check: isNilfs,
    file: "nilfs",
  }),
  superblock("exfat", "an exFAT boot sector", at(3, "EXFAT   "), { check: isExfat }),
  superblock("f2fs", "an F2FS superblock", at(KIB, "\x10\x20\xf5\xf2")),
  superblock("mpool", "an mpool superblock", at(0, "mpoolDev"), { check: isMpool }),
  superblock("apfs", "an APFS container", at(32, "NXSB"), {
    check: (file) =>
      file.has(24, "\x01\0") && file.has(28, "\0\0\0\0") && file.little(36, 4) === 4 * KIB,
  }),
  superblock("zonefs", "a zonefs superblock", at(0, "SFOZ")),
  superblock("erofs", "an EROFS superblock", at(KIB, "\xe2\xe1\xf5\xe0")),
];
