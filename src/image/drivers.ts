import type { ByteSource } from "../bytes/mod.ts";
import type { FormatDriver } from "../format/mod.ts";
import { luks1Driver } from "../luks1/mod.ts";
import { detectLuks2, luks2Driver } from "../luks2/mod.ts";
import { qcow1Driver } from "../qcow1/mod.ts";
import { qcow2Driver } from "../qcow2/mod.ts";
import { RawLayer } from "./raw.ts";

const PROBE_BYTES = 512;

const rawDriver: FormatDriver = {
  name: "raw",
  probe: () => true,
  open: (source) => new RawLayer(source),
};

/** The formats, in the order in which they are probed: raw is what is left. */
export const drivers: readonly FormatDriver[] = [
  qcow1Driver,
  qcow2Driver,
  luks1Driver,
  luks2Driver,
  rawDriver,
];

/** The driver of a name, or `undefined`. */
export function driverNamed(name: string): FormatDriver | undefined {
  return drivers.find((driver) => driver.name === name);
}

/** The driver that QEMU's probing picks. An empty file is raw. */
export function probe(source: ByteSource): FormatDriver {
  const head = source.read(0, PROBE_BYTES);
  const taken = source.size === 0 ? undefined : drivers.find((driver) => driver.probe(head));
  return taken ?? rawDriver;
}

/**
 * The driver of what a file is, whoever reads it: QEMU takes LUKS version 2 for raw, and cryptsetup opens
 * it.
 */
export function detect(source: ByteSource): FormatDriver {
  return detectLuks2(source) ? luks2Driver : probe(source);
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
