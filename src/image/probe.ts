import type { ByteSource } from "../bytes/mod.ts";
import type { Format } from "../format/mod.ts";
import { formats } from "../formats.ts";
import { rawFormat } from "../raw/mod.ts";

/** Bytes that probing looks at. */
export const PROBE_BYTES = 512;

/** The format that QEMU's probing finds. An empty file is raw. */
export function probe(source: ByteSource, among: readonly Format[] = formats): Format {
  if (source.size === 0) return rawFormat;
  const head = source.read(0, PROBE_BYTES);
  return among.find(({ driver }) => driver.probe(head)) ?? rawFormat;
}

/** The format of a file, whichever tool opens it: to QEMU LUKS version 2 is raw. */
export function detect(source: ByteSource, among: readonly Format[] = formats): Format {
  return among.find(({ driver }) => driver.detect?.(source) === true) ?? probe(source, among);
}

/**
 * Names of QEMU's block drivers that are no format of ours: a backing file may be declared to have one,
 * and qemu-img may then open what the reference implementation does not.
 */
export const foreignDrivers: ReadonlySet<string> = new Set([
  ...["blkdebug", "blklogwrites", "blkreplay", "blkverify", "bochs", "cloop", "compress"],
  ...[
    "copy-before-write",
    "copy-on-read",
    "dmg",
    "file",
    "ftp",
    "ftps",
    "host_cdrom",
    "host_device",
  ],
  ...["http", "https", "io_uring", "iscsi", "nbd", "nfs", "null-aio", "null-co", "nvme"],
  ...["parallels", "preallocate", "qed", "quorum", "rbd", "replication", "snapshot-access", "ssh"],
  ...["throttle", "vdi", "vhdx", "virtio-blk-vfio-pci", "vmdk", "vpc", "vvfat", "gluster"],
]);
