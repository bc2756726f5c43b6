/** What libblkid requires of superblocks beyond their magic. */

import { SECTOR, startsWith } from "../bytes/mod.ts";
import { fromEnd } from "./builders.ts";
import { crc32, POLYNOMIALS } from "./crc32.ts";
import { type Fields, latin1 } from "./signature.ts";

const ALL_ONES = 0xffffffff;
const KIB = 1024;

const EXT = { journalDevice: 0x8, hasJournal: 0x4, test: 0x4 } as const;
/** The features that ext2 and ext3 know. */
const EXT_KNOWN = { readOnly: 0x7, ext2: 0x12, ext3: 0x16 } as const;

/** Which of ext2, ext3, ext4, its development version and their journals a superblock is. */
export function extKind(file: Fields): string | undefined {
  const at = (offset: number): number => file.little(KIB + offset, 4);
  const [compatible, incompatible, readOnly] = [at(0x5c), at(0x60), at(0x64)];
  if ((incompatible & EXT.journalDevice) !== 0) return "jbd";
  const journal = (compatible & EXT.hasJournal) !== 0;
  const known = (readOnly & ~EXT_KNOWN.readOnly) === 0;
  if (!journal && known && (incompatible & ~EXT_KNOWN.ext2) === 0) return "ext2";
  if (journal && known && (incompatible & ~EXT_KNOWN.ext3) === 0) return "ext3";
  if ((at(0x160) & EXT.test) !== 0) return "ext4dev";
  return known && (incompatible & ~EXT_KNOWN.ext3) === 0 ? undefined : "ext4";
}

/** XFS, and EXFS: sizes as numbers and as logarithms. */
export function isXfs(file: Fields): boolean {
  const [block, extent, perGroup, groups] = [4, 80, 84, 88].map((at) => file.big(at, 4)) as [
    number,
    number,
    number,
    number,
  ];
  const [sector, inode] = [file.big(102, 2), file.big(104, 2)];
  const [blockLog, sectorLog, inodeLog, perBlockLog] = file.bytes(120, 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const is = (value: number, log: number, [least, most]: readonly [number, number]): boolean =>
    log >= least && log <= most && value === 2 ** log;
  const extentBytes = Math.imul(extent, block) >>> 0;
  const blocks = file.big64(8);
  return groups > 0 && is(sector, sectorLog, [9, 15]) && is(block, blockLog, [9, 16]) &&
    is(inode, inodeLog, [8, 11]) && blockLog - inodeLog === perBlockLog &&
    extentBytes >= 4 * KIB && extentBytes <= KIB * KIB * KIB && file.byte(127) <= 100 &&
    blocks > 0n && blocks <= BigInt(groups) * BigInt(perGroup) &&
    blocks >= BigInt(groups - 1) * BigInt(perGroup) + 64n;
}

const LOG = { sectors: 512, magic: latin1("\xfe\xed\xba\xbe") } as const;

/** An external log of XFS: a record in one of the first sectors. */
export function isXfsLog(file: Fields): boolean {
  for (let at = 0; at < LOG.sectors * SECTOR; at += SECTOR) {
    if (file.has(at, "XFSB")) return false;
    const [version, length, format] = [
      file.big(at + 8, 4),
      file.big(at + 12, 4),
      file.big(at + 300, 4),
    ];
    const isRecord = file.has(at, LOG.magic) && version > 0 && version <= 3 && length > 0 &&
      length < 2 ** 31 && format >= 1 && format <= 3;
    if (isRecord) return true;
  }
  return false;
}

/** A label of LVM2, in the sector that it says, with its checksum. */
export function isLvm2(file: Fields, offset: number): boolean {
  const base = offset < KIB ? 0 : KIB;
  const at = [base, base + SECTOR].find((place) => file.has(place, "LABELONE"));
  if (at === undefined || file.little64(at + 8) !== BigInt(at / SECTOR)) return false;
  return crc32(file.bytes(at + 20, SECTOR - 20), { start: 0xf597a6cf }) === file.little(at + 16, 4);
}

const HIBERNATED_BY_TUX_ON_ICE = latin1("\xed\xc3\x02\xe9\x98\x56\xe5\x0c");

/** Swap space. That of version 1 has its version and its last page. */
export function isSwap(file: Fields, magic: Uint8Array): boolean {
  if (file.has(0, HIBERNATED_BY_TUX_ON_ICE)) return false;
  if (startsWith(magic, latin1("SWAP-SPACE"))) return true;
  return [file.little(KIB, 4), file.big(KIB, 4)].includes(1) && file.little(KIB + 4, 4) !== 0;
}

const MD = { magic: 0xa92b4efc, reserved: 64 * KIB } as const;

/** A member of a Linux RAID: superblocks of version 0.90 and of the three places of version 1. */
export function isLinuxRaid(file: Fields): boolean {
  const { size } = file;
  const near = (unit: number, before: number): number => size - size % unit - before;
  if (size > MD.reserved && isRaid0(file, near(MD.reserved, MD.reserved))) return true;
  const places = [...size > MD.reserved ? [near(4 * KIB, 8 * KIB)] : [], 0, 4 * KIB];
  return places.some((at) =>
    file.little(at, 4) === MD.magic && file.little(at + 4, 4) === 1 &&
    file.little64(at + 144) === BigInt(at / SECTOR)
  );
}

function isRaid0(file: Fields, at: number): boolean {
  const little = file.little(at, 4) === MD.magic;
  if (!little && file.big(at, 4) !== MD.magic) return false;
  const length = (little ? file.little(at + 32, 4) : file.big(at + 32, 4)) * KIB;
  return length + MD.reserved <= file.size && length <= at;
}

/** A RAID of the common disk data format, whose header is also where it says. */
export function isDdf(file: Fields, magic: Uint8Array, at: number): boolean {
  const isBig = magic[0] === 0xde;
  const block = isBig ? file.big64(at + 96) : file.little64(at + 96);
  return block === 0n ||
    block < BigInt(file.size) / BigInt(SECTOR) && file.has(Number(block) * SECTOR, magic);
}

/** The checksum of Silicon Image is the negative sum of 16-bit words. */
export function isSilicon(file: Fields, at: number): boolean {
  const start = at - 0x60;
  const words = Array.from({ length: 0x13e / 2 }, (_, index) => file.little(start + index * 2, 2));
  const sum = words.reduce((total, word) => total + word, 0);
  return file.byte(start + 0x116) < 8 && (sum + file.little(start + 0x13e, 2)) % 2 ** 16 === 0;
}

/** The checksum of VIA is the sum of bytes. */
export function isVia(file: Fields, at: number): boolean {
  const sum = file.bytes(at, 50).reduce((total, byte) => total + byte, 0);
  return file.byte(at + 2) <= 2 && sum % 256 === file.byte(at + 50);
}

/** Minix of version 1, 2 or 3, in either byte order. It is none where ext has its magic. */
export function isMinix(file: Fields): boolean {
  const ORDERS = ["little", "big"] as const;
  for (const order of ORDERS) {
    const number = (at: number, width: 2 | 4): number => file[order](KIB + at, width);
    const magic = number(16, 2);
    const version = [0x137f, 0x138f].includes(magic)
      ? 1
      : [0x2468, 0x2478].includes(magic)
      ? 2
      : number(24, 2) === 0x4d5a
      ? 3
      : undefined;
    if (version === undefined) continue;
    const isThree = version === 3;
    const first = isThree ? 6 : 4;
    const [nodeMap, zoneMap, firstZone, zoneLog] = [0, 2, 4, 6].map((at) =>
      number(first + at, 2)
    ) as [number, number, number, number];
    const nodes = number(0, isThree ? 4 : 2);
    const zones = version === 1 ? number(2, 2) : number(20, 4);
    const bits = KIB * 8;
    return (isThree || number(18, 2) <= 3) && zoneLog === 0 &&
      nodes !== 0 && nodes !== ALL_ONES && nodeMap * bits >= nodes + 1 && firstZone <= zones &&
      zoneMap * bits >= zones - firstZone + 1 && !file.has(KIB + 0x38, "\x53\xef");
  }
  return false;
}

/** HFS that does not wrap an HFS+. */
export function isHfs(file: Fields): boolean {
  const block = file.big(KIB + 20, 4);
  return !isWrapper(file) && block !== 0 && block % SECTOR === 0;
}

/** HFS+ by itself, or in an HFS. */
export function isHfsPlus(file: Fields): boolean {
  let at = KIB;
  if (file.has(KIB, "BD")) {
    if (!isWrapper(file)) return false;
    at += file.big(KIB + 28, 2) * SECTOR +
      (Math.imul(file.big(KIB + 126, 2), file.big(KIB + 20, 4)) >>> 0);
  }
  return (file.has(at, "H+") || file.has(at, "HX")) && file.big(at + 40, 4) >= 512;
}

function isWrapper(file: Fields): boolean {
  return file.has(KIB + 124, "H+") || file.has(KIB + 124, "HX");
}

/** ISO 9660 has a primary descriptor; High Sierra needs only its magic. */
export function isIso9660(file: Fields, magic: Uint8Array): boolean {
  if (startsWith(magic, latin1("CDROM"))) return true;
  for (let at = 32 * KIB; at < 64 * KIB; at += 2 * KIB) {
    if (at >= file.size || file.byte(at) === 0xff) return false;
    if (file.byte(at) === 1) return true;
  }
  return false;
}

/**
 * UDF: descriptors of its structure, and an anchor. libblkid then follows the anchor, which changes
 * the answer only where that leads past the end of the file.
 */
export function isUdf(file: Fields): boolean {
  return [512, KIB, 2 * KIB, 4 * KIB].some((block) =>
    hasUdfStructure(file, Math.max(block, 2 * KIB)) &&
    [256, 512].some((place) =>
      file.little(place * block, 2) === 2 && file.little(place * block + 12, 4) === place
    )
  );
}

function hasUdfStructure(file: Fields, unit: number): boolean {
  for (let index = 0; index < 64; index++) {
    const at = 32 * KIB + index * unit + 1;
    if (["NSR02", "NSR03"].some((text) => file.has(at, text))) return true;
    if (!["BEA01", "BOOT2", "CD001", "CDW02", "TEA01"].some((text) => file.has(at, text))) break;
  }
  return false;
}

/** One uberblock or more in the four labels of ZFS are few: it takes four. */
export function isZfs(file: Fields): boolean {
  const label = 256 * KIB;
  const end = file.size - file.size % label;
  let found = 0;
  for (const start of [0, label, end - 2 * label, end - label]) {
    for (let at = start + label / 2; at < start + label; at += KIB) {
      const isOne = file.little64(at) === 0x00bab10cn || file.big64(at) === 0x00bab10cn;
      if (isOne) found++;
    }
    if (found >= 4) return true;
  }
  return false;
}

/** NILFS2, whose superblock at the start or the one at the end has its checksum. */
export function isNilfs(file: Fields): boolean {
  return [KIB, fromEnd(8)(file.size)].some((at) => {
    const length = file.little(at + 8, 2);
    if (file.little(at + 6, 2) !== 0x3434 || length < 20 || length > KIB) return false;
    if (at + KIB > file.size) return false;
    const bytes = file.bytes(at, length).slice();
    bytes.fill(0, 16, 20);
    return crc32(bytes, { start: file.little(at + 12, 4) }) === file.little(at + 16, 4);
  });
}

function castagnoli(bytes: Uint8Array): number {
  const crc = crc32(bytes, { start: ALL_ONES, polynomial: POLYNOMIALS.castagnoli });
  return (crc ^ ALL_ONES) >>> 0;
}

/** Stratis: one of two copies has its checksum. */
export function isStratis(file: Fields): boolean {
  return [SECTOR, 9 * SECTOR].some((at) =>
    castagnoli(file.bytes(at + 4, 508)) === file.little(at, 4)
  );
}

/** mpool, with its checksum. */
export function isMpool(file: Fields): boolean {
  return castagnoli(file.bytes(0, 62)) === file.little(62, 4);
}

/**
 * The Be file system in either byte order, with its root directory. libblkid then looks for the UUID
 * among the attributes of the root directory, which changes the answer only where they are damaged.
 */
export function isBefs(file: Fields, offset: number): boolean {
  const base = offset - 32;
  return (["little", "big"] as const).some((order) => {
    const number = (at: number): number => file[order](base + at, 4);
    const shift = number(44);
    const isOne = number(32) === 0x42465331 && number(36) === 0x42494745 &&
      number(68) === 0xdd121031 && number(112) === 0x15b6830e;
    if (!isOne || shift < 10 || shift > 13 || number(40) !== 2 ** shift) return false;
    const root = number(116) * 2 ** number(76) * 2 ** shift +
      file[order](base + 120, 2) * 2 ** shift;
    return root < file.size && file[order](root, 4) === 0x3bbe0ad9;
  });
}

/** JFS: block sizes as numbers and as logarithms. */
export function isJfs(file: Fields): boolean {
  const base = 32 * KIB;
  const [block, blockLog, factor] = [
    file.little(base + 16, 4),
    file.little(base + 20, 2),
    file.little(base + 22, 2),
  ];
  const [physical, physicalLog] = [file.little(base + 24, 4), file.little(base + 28, 2)];
  const is = (value: number, log: number): boolean => value === (1 << log) >>> 0;
  return is(block, blockLog) && is(physical, physicalLog) && blockLog - physicalLog === factor;
}

/** ReiserFS, whose journal is not in the first half of the blocks before the superblock. */
export function isReiserfs(file: Fields, offset: number): boolean {
  const base = offset < 64 * KIB ? 8 * KIB : 64 * KIB;
  const block = file.little(base + 44, 2) >> 9;
  const journal = Math.floor(file.little(base + 12, 4) / 2);
  return block > 0 && Math.floor(base / KIB / block) <= journal;
}
