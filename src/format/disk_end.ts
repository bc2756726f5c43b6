import { hex, SECTOR, startsWith, utf8 } from "../bytes/mod.ts";
import { bytes, decode, struct, u32, u64, u8 } from "../layout/mod.ts";

/** What the partition table of a disk says about its length. */
export interface DiskEnd {
  /** In bytes. */
  readonly size: number;
  /** The disk ends there, and not somewhere after it. */
  readonly exact: boolean;
  /** What was found, as a sentence. */
  readonly sign: string;
}

/** Bytes from the start of a disk that {@link diskEnd} looks at. */
export const DISK_HEAD_BYTES: number = 2 * SECTOR;

const LITTLE = { byteOrder: "little" } as const;

const bootIndicators = { no: 0, yes: 0x80 } as const;

const partition = struct(
  "mbr.partition",
  { section: "UEFI 2.10, 5.2.1 Legacy MBR, Table 5-2", size: 16, ...LITTLE },
  [
    u8("boot_indicator", { doc: "Whether the partition is booted.", values: bootIndicators }),
    bytes("starting_chs", 3, { doc: "Start by cylinder, head and sector." }),
    u8("os_type", { doc: "Type of the partition; 0 if it is not used." }),
    bytes("ending_chs", 3, { doc: "End by cylinder, head and sector." }),
    u32("starting_lba", { doc: "Start.", unit: "sectors" }),
    u32("size_in_lba", { doc: "Length.", unit: "sectors" }),
  ],
);

const PARTITIONS = 4;

const mbr = struct(
  "mbr",
  { section: "UEFI 2.10, 5.2.1 Legacy MBR, Table 5-1", size: SECTOR },
  [
    bytes("boot_code", 446, { doc: "Code that is executed at boot." }),
    bytes("partition_records", PARTITIONS * partition.size, { doc: "The partitions." }),
    bytes("signature", 2, { doc: "0x55 and 0xaa." }),
  ],
);
const MBR_SIGNATURE = Uint8Array.of(0x55, 0xaa);

const gpt = struct(
  "gpt",
  { section: "UEFI 2.10, 5.3.2 GPT Header, Table 5-5", size: 92, ...LITTLE },
  [
    bytes("signature", 8, { doc: "'EFI PART'." }),
    u32("revision", { doc: "Version of the header." }),
    u32("header_size", { doc: "Length of the header.", unit: "bytes" }),
    u32("header_crc32", { doc: "Checksum of the header." }),
    u32("reserved", { doc: "Zero." }),
    u64("my_lba", { doc: "Place of this header.", unit: "sectors" }),
    u64("alternate_lba", { doc: "Place of the other header: the last sector.", unit: "sectors" }),
    u64("first_usable_lba", { doc: "The first sector for partitions.", unit: "sectors" }),
    u64("last_usable_lba", { doc: "The last sector for partitions.", unit: "sectors" }),
    bytes("disk_guid", 16, { doc: "Identity of the disk." }),
    u64("partition_entry_lba", { doc: "Place of the partitions.", unit: "sectors" }),
    u32("number_of_partition_entries", { doc: "Number of partitions." }),
    u32("size_of_partition_entry", { doc: "Length of an entry.", unit: "bytes" }),
    u32("partition_entry_array_crc32", { doc: "Checksum of the entries." }),
  ],
);
const GPT_SIGNATURE = utf8("EFI PART");

/** The length of a disk by its partition table; `undefined` if there is none. */
export function diskEnd(head: Uint8Array): DiskEnd | undefined {
  return gptEnd(head) ?? mbrEnd(head);
}

function gptEnd(head: Uint8Array): DiskEnd | undefined {
  const { signature, my_lba, alternate_lba } = decode(gpt, head, SECTOR);
  if (!startsWith(signature, GPT_SIGNATURE) || my_lba !== 1n) return undefined;
  const size = (Number(alternate_lba) + 1) * SECTOR;
  if (!Number.isSafeInteger(size)) return undefined;
  const sign =
    `The GPT of the guest has its second header in sector ${alternate_lba}, the last one`;
  return { size, exact: true, sign };
}

function mbrEnd(head: Uint8Array): DiskEnd | undefined {
  const { signature, partition_records } = decode(mbr, head);
  if (!startsWith(signature, MBR_SIGNATURE)) return undefined;
  const partitions = Array.from(
    { length: PARTITIONS },
    (_, index) => decode(partition, partition_records, index * partition.size),
  );
  const known = Object.values<number>(bootIndicators);
  // The boot sector of a file system has the same signature, and code in place of the partitions.
  if (partitions.some(({ boot_indicator }) => !known.includes(boot_indicator))) return undefined;
  const used = partitions.filter(({ os_type, size_in_lba }) => os_type !== 0 && size_in_lba > 0);
  if (used.length === 0) return undefined;
  const ends = used.map(({ starting_lba, size_in_lba }) => starting_lba + size_in_lba);
  const size = Math.max(...ends) * SECTOR;
  const sign = `The last partition in the MBR of the guest ends at ${hex(size)}`;
  return { size, exact: false, sign };
}
