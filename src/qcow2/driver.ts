import { type ByteSource, SECTOR } from "../bytes/mod.ts";
import type { DriverOptions, FormatDriver } from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import { qcow2Anatomy } from "./anatomy/anatomy.ts";
import { decodeQcow2 } from "./decode.ts";
import { judgeBackingName } from "./judge/backing.ts";
import { judgeBitmaps, readBitmaps } from "./judge/bitmaps.ts";
import { judgeExtensions } from "./judge/extensions.ts";
import { judgeHeader } from "./judge/header.ts";
import { judgeSnapshots, readSnapshotTable } from "./judge/snapshots.ts";
import type { Findings } from "./findings.ts";
import { type OpenedQcow2, Qcow2Layer } from "./layer.ts";
import { hintOfQcow2, scanQcow2 } from "./scan/scan.ts";
import { headerV2, QCOW_MAGIC } from "./structures.ts";

/** qcow2, versions 2 and 3. */
export const qcow2Driver: FormatDriver = {
  probe(head) {
    const { magic, version } = decode(headerV2, head);
    return magic === QCOW_MAGIC && version >= 2;
  },

  open(source, findings, options): Qcow2Layer | undefined {
    const image = openQcow2(source, findings, options);
    return image && new Qcow2Layer(image);
  },

  scan: scanQcow2,
  hint: hintOfQcow2,
  anatomy: qcow2Anatomy,
};

/** Decodes and judges what an open reads; `undefined` if the image is too damaged. */
export function openQcow2(
  source: ByteSource,
  findings: Findings,
  options?: DriverOptions,
): OpenedQcow2 | undefined {
  const file = decodeQcow2(source);
  const geometry = judgeHeader(file, findings);
  if (geometry === undefined) {
    if (file.geometry !== undefined) judgeExtensions(file, findings);
    return undefined;
  }
  const encryption = judgeExtensions(file, findings, options);
  judgeBackingName(file, findings);
  const snapshots = readSnapshotTable(file);
  judgeSnapshots(file, { geometry, table: snapshots }, findings);
  const bitmaps = readBitmaps(file);
  const size = Number(file.header.size / BigInt(SECTOR)) * SECTOR;
  judgeBitmaps(file, { geometry, size, directory: bitmaps }, findings);
  return { file, geometry, snapshots, bitmaps, encryption };
}
