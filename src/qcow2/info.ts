import { type Json, type LayerInfo, nameOf } from "../format/mod.ts";
import { type BitmapDirectory, bitmapInfo } from "./bitmaps.ts";
import { extensionData, extensionOf, has, type Qcow2File } from "./decode.ts";
import { luks1Info } from "../luks1/mod.ts";
import type { Encryption } from "./encryption.ts";
import type { Geometry } from "./geometry.ts";
import { snapshotInfo, type SnapshotTable } from "./snapshots.ts";
import { extensionTypes, features } from "./structures.ts";

const AES = 1;

/** The output of `info` for an image. */
export function qcow2Info(
  file: Qcow2File,
  image: {
    geometry: Geometry;
    snapshots: SnapshotTable;
    bitmaps: BitmapDirectory | undefined;
    encryption: Encryption | undefined;
  },
): LayerInfo {
  const { header } = file;
  const encrypted = header.crypt_method !== 0;
  const { snapshots } = image.snapshots;
  // QEMU does not list the snapshots of an image with a data file.
  const listed = snapshots.length > 0 && !has(file, "dataFile");
  const data = header.version < 3
    ? { compat: "0.10", "compression-type": "zlib", "refcount-bits": image.geometry.refcountBits }
    : version3(file, image);
  const encrypt = encryptInfo(header.crypt_method, image.encryption);
  return {
    "cluster-size": image.geometry.clusterSize,
    "dirty-flag": has(file, "dirty"),
    ...(encrypted ? { encrypted: true } : {}),
    ...(listed ? { snapshots: snapshots.map(snapshotInfo) } : {}),
    "format-specific": { type: "qcow2", data: { ...data, ...encrypt } },
  };
}

function encryptInfo(
  method: number,
  encryption: Encryption | undefined,
): { encrypt?: { [key: string]: Json } } {
  if (method === AES) return { encrypt: { format: "aes" } };
  if (encryption?.header === undefined) return {};
  return { encrypt: { format: "luks", ...luks1Info(encryption.header) } };
}

function version3(
  file: Qcow2File,
  image: { geometry: Geometry; bitmaps: BitmapDirectory | undefined },
): { [key: string]: Json } {
  const { header } = file;
  const bitmaps = Array.from(image.bitmaps?.bitmaps ?? [], bitmapInfo);
  const dataFile = extensionOf(file, extensionTypes.dataFile);
  const raw = (header.autoclear_features & features.rawExternal) !== 0n;
  return {
    compat: "1.1",
    "compression-type": header.compression_type === 1 ? "zstd" : "zlib",
    "refcount-bits": image.geometry.refcountBits,
    "lazy-refcounts": (header.compatible_features & features.lazyRefcounts) !== 0n,
    corrupt: has(file, "corrupt"),
    "extended-l2": image.geometry.extendedL2,
    ...(bitmaps.length > 0 ? { bitmaps } : {}),
    ...(dataFile === undefined ? {} : { "data-file": nameOf(extensionData(file, dataFile)) }),
    ...(has(file, "dataFile") ? { "data-file-raw": raw } : {}),
  };
}
