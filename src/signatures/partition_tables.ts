import { SECTOR } from "../bytes/mod.ts";
import { type Fields, latin1, type Signature } from "./signature.ts";
import { isFat, isNtfs } from "./windows.ts";

const ENTRIES = 4;
/** The partition entries of a DOS partition table, and the length of each. */
const MBR = { entries: 446, length: 16, type: 4, gpt: 0xee } as const;
const AIX = latin1("\xc9\xc2\xd4\xc1");

function mbrEntries(): number[] {
  return Array.from({ length: ENTRIES }, (_, index) => MBR.entries + index * MBR.length);
}

function isProtective(file: Fields): boolean {
  return mbrEntries().some((at) => file.byte(at + MBR.type) === MBR.gpt);
}

/** A GPT has its own magic in the second or in the last sector. */
function hasGptMagic(file: Fields): boolean {
  const last = Math.floor(file.size / SECTOR) - 1;
  return [SECTOR, last * SECTOR].some((at) => file.has(at, "EFI PART"));
}

function isDos(file: Fields): boolean {
  const active = mbrEntries().map((at) => file.byte(at));
  return !file.has(0, AIX) && active.every((flag) => flag === 0 || flag === 0x80) &&
    !isProtective(file) && !isFat(file) && !isNtfs(file);
}

function isSgi(file: Fields): boolean {
  const words = Array.from({ length: SECTOR / 4 }, (_, index) => file.big(index * 4, 4));
  return words.reduce((sum, word) => sum + word, 0) % 2 ** 32 === 0;
}

function isSun(file: Fields): boolean {
  const words = Array.from({ length: SECTOR / 2 }, (_, index) => file.big(index * 2, 2));
  return words.reduce((sum, word) => sum ^ word, 0) === 0;
}

function isMac(file: Fields): boolean {
  const block = file.big(2, 2);
  return block >= 136 && (file.has(block, "PM") || file.has(block, "TS"));
}

function isInside(start: number, length: number, end: number): boolean {
  return start > 0 && length > 0 && start + length <= end;
}

/** The root sector of an Atari disk has no magic: its fields are checked. */
function isAtari(file: Fields): boolean {
  const end = file.big(0x1c2, 4);
  if (file.size / SECTOR >= 2 ** 31 || end < 2 || end > Math.floor(file.size / SECTOR)) {
    return false;
  }
  const [badStart, badLength] = [file.big(0x1f6, 4), file.big(0x1fa, 4)];
  if ((badStart > 0 || badLength > 0) && !isInside(badStart, badLength, end)) return false;
  return Array.from({ length: ENTRIES }, (_, index) => 0x1c6 + index * 12).some((at) =>
    (file.byte(at) & 1) === 1 && file.bytes(at + 1, 3).every(isLetterOrDigit) &&
    isInside(file.big(at + 4, 4), file.big(at + 8, 4), end)
  );
}

/** As in Linux, whose characters are those of Latin-1. */
function isLetterOrDigit(code: number): boolean {
  return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 ||
    /[0-9A-Za-z]/.test(String.fromCharCode(code));
}

const END_OF_SECTOR = { offset: 510, bytes: latin1("\x55\xaa") };
const table = (name: string, file: string) => ({
  name,
  section: `partitions/${file}.c`,
  sizeMin: 1,
});

/** Partition tables. libblkid finds BSD disklabels only within a partition of another table. */
export const partitionTables: readonly Signature[] = [
  {
    ...table("aix", "aix"),
    title: "an AIX label",
    magics: [{ offset: 0, bytes: AIX }],
  },
  {
    ...table("sgi", "sgi"),
    title: "an SGI disk label",
    magics: [{ offset: 0, bytes: latin1("\x0b\xe5\xa9\x41") }],
    check: isSgi,
  },
  {
    ...table("sun", "sun"),
    title: "a Sun disk label",
    magics: [{ offset: 508, bytes: latin1("\xda\xbe") }],
    check: isSun,
  },
  {
    ...table("dos", "dos"),
    title: "an MBR partition table",
    magics: [END_OF_SECTOR],
    check: isDos,
  },
  {
    ...table("gpt", "gpt"),
    title: "a GUID partition table (GPT)",
    magics: [END_OF_SECTOR],
    check: (file) => isProtective(file) && hasGptMagic(file),
  },
  {
    // A table whose checksums are wrong is one as well, by its MBR.
    ...table("PMBR", "gpt"),
    title: "the protective MBR of a GUID partition table (GPT)",
    magics: [END_OF_SECTOR],
    check: (file) => isProtective(file) && !hasGptMagic(file),
  },
  {
    ...table("mac", "mac"),
    title: "an Apple partition map",
    magics: [{ offset: 0, bytes: latin1("ER") }],
    check: isMac,
  },
  {
    ...table("ultrix", "ultrix"),
    title: "an Ultrix disk label",
    magics: [{ offset: 16312, bytes: latin1("\x57\x29\x03\0\x01\0\0\0") }],
  },
  {
    ...table("unixware", "unixware"),
    title: "a UnixWare disk label",
    sizeMin: 1440 * 1024 + 1,
    magics: [{ offset: 29174, bytes: latin1("\x0d\x60\xe5\xca") }],
    check: (file) => file.little(29 * SECTOR + 156, 4) === 0x600ddeee,
  },
  {
    ...table("solaris", "solaris_x86"),
    title: "a Solaris disk label",
    magics: [{ offset: 524, bytes: latin1("\xee\xde\x0d\x60") }],
    check: (file) => file.little(528, 4) === 1,
  },
  {
    ...table("atari", "atari"),
    title: "an Atari partition table",
    magics: [{ offset: 0, bytes: new Uint8Array(0) }],
    check: isAtari,
  },
];
