import type { Format } from "../format/mod.ts";
import { foreignFormats, formatNamed, formats } from "../formats.ts";
import { rawFormat } from "../raw/mod.ts";

/** The protocol of local files. */
export const FILE = "file";

/** Protocols that names in images may have, as `nbd` of `nbd://host/disk`. */
const PROTOCOLS: ReadonlySet<string> = new Set([
  ...[FILE, "host_device", "host_cdrom", "blkdebug", "blkverify", "fat", "null-co", "null-aio"],
  ...["nbd", "nbd+tcp", "nbd+unix", "http", "https", "ftp", "ftps", "ssh", "nfs", "rbd", "nvme"],
  ...["iscsi", "iser", "gluster", "gluster+tcp", "gluster+unix", "gluster+rdma"],
  ...["io_uring", "nvme-io_uring", "virtio-blk-vhost-vdpa", "virtio-blk-vhost-user"],
  ...["virtio-blk-vfio-pci"],
]);

/** Drivers that give the bytes of a file as they are. */
const PLAIN: ReadonlySet<string> = new Set([FILE, "blkdebug", "preallocate"]);

/** Drivers that open devices alone. */
const OF_DEVICES: ReadonlySet<string> = new Set(["host_device", "host_cdrom"]);

/** Drivers that open no file by its name alone. */
const UNUSABLE: ReadonlySet<string> = new Set([
  ...["blklogwrites", "blkreplay", "blkverify", "compress", "copy-before-write", "copy-on-read"],
  ...["ftp", "ftps", "gluster", "http", "https", "io_uring", "iscsi", "iser"],
  ...["nbd", "nfs", "null-aio", "null-co", "nvme", "nvme-io_uring", "quorum", "rbd"],
  ...["replication", "ssh", "throttle", "virtio-blk-vfio-pci", "virtio-blk-vhost-user"],
  ...["virtio-blk-vhost-vdpa", "vvfat"],
]);

/** Drivers that open a file, and what they read of it follows from no file. */
const OPAQUE: ReadonlySet<string> = new Set(["snapshot-access"]);

/** Whether QEMU has a driver for a protocol, in some build of it. */
export function isProtocolKnown(protocol: string): boolean {
  return PROTOCOLS.has(protocol);
}

/**
 * What a block driver makes of a file that it is given by name: a format, which may be a foreign one.
 * Else it opens devices, or no file (`unusable`), or reads what is not in the file (`opaque`); or QEMU
 * has no such driver (`missing`).
 */
export function driverNamed(
  name: string,
  among: readonly Format[] = formats,
): Format | "device" | "unusable" | "opaque" | "missing" {
  if (PLAIN.has(name)) return rawFormat;
  if (OF_DEVICES.has(name)) return "device";
  if (UNUSABLE.has(name)) return "unusable";
  if (OPAQUE.has(name)) return "opaque";
  const known = formatNamed(name, among) ?? formatNamed(name, foreignFormats);
  return known?.verdict.tool === "qemu-img" ? known : "missing";
}
