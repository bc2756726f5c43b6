/** What libblkid requires of the boot sectors of FAT, NTFS, exFAT and BitLocker. */

import { type Fields, isPowerOfTwo, latin1, type Magic } from "./signature.ts";

const KIB = 1024;

/** The texts by which FAT is recognised, in their order. */
export const FAT_MAGICS: readonly Magic[] = [
  { offset: 0x52, bytes: latin1("MSWIN") },
  { offset: 0x52, bytes: latin1("FAT32   ") },
  { offset: 0x36, bytes: latin1("MSDOS") },
  { offset: 0x36, bytes: latin1("FAT16   ") },
  { offset: 0x36, bytes: latin1("FAT12   ") },
  { offset: 0x36, bytes: latin1("FAT     ") },
  { offset: 0, bytes: latin1("\xeb") },
  { offset: 0, bytes: latin1("\xe9") },
  { offset: 0x1fe, bytes: latin1("\x55\xaa") },
];

/** The text by which NTFS is recognised. */
export const NTFS_MAGIC: Magic = { offset: 3, bytes: latin1("NTFS    ") };

const CLUSTERS_MAX = { fat12: 0xff4, fat16: 0xfff4, fat32: 0x0ffffff6 } as const;

/** Whether the file starts with the boot sector of a FAT. */
export function isFat(file: Fields): boolean {
  const magic = FAT_MAGICS.find(({ offset, bytes }) => file.has(Number(offset), bytes));
  return magic !== undefined && isFatSector(file, magic.bytes);
}

function isFatSector(file: Fields, magic: Uint8Array): boolean {
  const weak = magic.length <= 2;
  if (
    weak &&
    (!file.has(0x1fe, "\x55\xaa") || ["JFS     ", "HPFS    "].some((of) => file.has(0x36, of)))
  ) {
    return false;
  }
  const [sector, cluster, reserved, fats] = [
    file.little(11, 2),
    file.byte(13),
    file.little(14, 2),
    file.byte(16),
  ];
  const media = file.byte(21);
  if (fats === 0 || reserved === 0 || media < 0xf8 && media !== 0xf0) return false;
  if (!isPowerOfTwo(cluster) || !isPowerOfTwo(sector) || sector < 512 || sector > 4096) {
    return false;
  }
  const sectors = file.little(19, 2) || file.little(32, 4);
  const [length16, length32] = [file.little(22, 2), file.little(36, 4)];
  const tables = Math.imul(length16 || length32, fats);
  const root = Math.floor((file.little(17, 2) * 32 + sector - 1) / sector);
  const clusters = Math.floor((sectors - (reserved + tables + root) >>> 0) / cluster);
  const { fat12, fat16, fat32 } = CLUSTERS_MAX;
  const most = length16 === 0 && length32 > 0 ? fat32 : clusters > fat12 ? fat16 : fat12;
  return clusters <= most && !isBitlocker(file);
}

/** Whether there is a FAT: with FAT32, also its information sector is checked. */
export function isWholeFat(file: Fields, magic: Uint8Array): boolean {
  if (!isFatSector(file, magic)) return false;
  const information = file.little(48, 2) * file.little(11, 2);
  if (file.little(22, 2) > 0 || file.little(36, 4) === 0 || information === 0) return true;
  const first = ["RRaA", "RRdA", "\0\0\0\0"].some((text) => file.has(information, text));
  return first && information + 512 <= file.size &&
    ["rrAa", "\0\0\0\0"].some((text) => file.has(information + 484, text));
}

/** Whether the file starts with an NTFS: its boot sector leads to two file records. */
export function isNtfs(file: Fields): boolean {
  if (!file.has(Number(NTFS_MAGIC.offset), NTFS_MAGIC.bytes)) return false;
  const sector = file.little(11, 2);
  const shift = file.byte(13);
  const perCluster = shift >= 240 && shift <= 249 ? 2 ** (256 - shift) : shift;
  if (sector < 256 || sector > 4096 || !isPowerOfTwo(perCluster)) return false;
  if (perCluster === shift && shift > 128 || sector * perCluster > 2048 * KIB) return false;
  const unused = [14, 17, 19, 22].some((at) => file.little(at, 2) !== 0);
  if (unused || file.byte(16) !== 0 || file.little(32, 4) !== 0) return false;
  const size = file.byte(64);
  const exponent = size >= 0xe1 && size <= 0xf7;
  if (!exponent && (!isPowerOfTwo(size) || size > 64)) return false;
  const record = exponent ? 2 ** (256 - size) : size * perCluster * sector;
  const clusters = file.little64(40) / BigInt(perCluster);
  const [table, mirror] = [file.little64(48), file.little64(56)];
  if (table > clusters || mirror > clusters) return false;
  const offset = table * BigInt(sector * perCluster);
  return [0, 3].map((index) => offset + BigInt(index * record)).every((at) =>
    at + BigInt(record) <= BigInt(file.size) && file.has(Number(at), "FILE")
  );
}

/** Whether the file starts with an exFAT whose clusters have a size that 32 bits hold. */
export function isExfat(file: Fields): boolean {
  return 1 << file.byte(108) << file.byte(109) !== 0;
}

/** The texts by which BitLocker is recognised: of Vista, of Windows 7, and "to go". */
export const BITLOCKER: readonly Uint8Array[] = [
  latin1("\xeb\x52\x90-FVE-FS-"),
  latin1("\xeb\x58\x90-FVE-FS-"),
  latin1("\xeb\x58\x90MSWIN4.1"),
];

/** Whether the file starts with a BitLocker volume, whose metadata is where its header says. */
export function isBitlocker(file: Fields): boolean {
  const kind = BITLOCKER.findIndex((magic) => file.has(0, magic));
  if (kind <= 0) return kind === 0;
  const at = file.little64(kind === 1 ? 176 : 440);
  return at > 0n && at < BigInt(file.size) && file.has(Number(at), "-FVE-FS-");
}
