import { clamp, roundDown, utf8 } from "../../bytes/mod.ts";
import { EXTENSION_ALIGNMENT, extensionSize, featureTableSize } from "../encode/extensions.ts";
import type { BitmapModel, Qcow2Model, UnknownExtension } from "../model.ts";
import {
  bitmapsExtension,
  encryptionPointer,
  extensionHead,
  header,
  headerV2,
  headerV3Minimal,
  limits,
} from "../structures.ts";
import { cleanText, unknownType } from "./normalise_values.ts";

/** The longest path that an operating system accepts. */
const DATA_FILE_NAME_MAX = 4095;

/** The parts of a model that share the first cluster. */
export interface FirstCluster {
  readonly headerLength: number;
  readonly unknownExtensions: readonly UnknownExtension[];
  readonly featureTable: boolean;
  readonly backing: Qcow2Model["backing"];
  readonly dataFile: Qcow2Model["dataFile"];
  readonly bitmaps: readonly BitmapModel[];
}

/**
 * Makes the parts of the first cluster fit into it. The required parts come first, and then the
 * more informative ones: names, bitmaps, a longer header, unknown extensions, feature names.
 *
 * @param model its version, clusterBits, compression and bitmaps are already normalised
 */
export function normaliseFirstCluster(
  model: Omit<Qcow2Model, "placement">,
): FirstCluster {
  const least = leastHeader(model);
  const room = new Room(2 ** model.clusterBits - least - extensionHead.size);
  if (model.encryption?.kind === "luks") room.take(extensionSize(encryptionPointer.size));
  const dataFile = model.version === 2 ? undefined : model.dataFile;
  const backing = fittingBacking(dataFile?.raw ? undefined : model.backing, {
    room,
    reserved: dataFile === undefined ? 0 : extensionSize(EXTENSION_ALIGNMENT),
  });
  const fittingFile = fittingDataFile(dataFile, room);
  const named = fittingFormat(backing, room);
  const hasBitmaps = model.bitmaps.length > 0 && room.take(extensionSize(bitmapsExtension.size));
  const longer = model.version === 2
    ? 0
    : roundDown(clamp(model.headerLength - least, 0, room.left), EXTENSION_ALIGNMENT);
  room.take(longer);
  return {
    headerLength: least + longer,
    unknownExtensions: fittingExtensions(model.unknownExtensions, room),
    featureTable: model.version === 3 && model.featureTable &&
      room.take(extensionSize(featureTableSize)),
    backing: named,
    dataFile: fittingFile,
    bitmaps: hasBitmaps ? model.bitmaps : [],
  };
}

/** Bytes that are left in the first cluster. */
class Room {
  left: number;

  constructor(left: number) {
    this.left = left;
  }

  /** Uses `size` bytes if so many are left. */
  take(size: number): boolean {
    if (size > this.left) return false;
    this.left -= size;
    return true;
  }
}

function leastHeader(
  { version, compression }: Pick<Qcow2Model, "version" | "compression">,
): number {
  if (version === 2) return headerV2.size;
  return compression === "zstd" ? header.size : headerV3Minimal.size;
}

/** @param place.reserved bytes to leave for the parts that follow */
function fittingBacking(
  backing: Qcow2Model["backing"],
  { room, reserved }: { room: Room; reserved: number },
): Qcow2Model["backing"] {
  if (backing === undefined) return undefined;
  const name = cleanText(backing.name, Math.min(limits.backingName, room.left - reserved));
  if (name === "") return undefined;
  room.take(utf8(name).length);
  return { ...backing, name };
}

function fittingDataFile(dataFile: Qcow2Model["dataFile"], room: Room): Qcow2Model["dataFile"] {
  if (dataFile === undefined) return undefined;
  const max = roundDown(room.left - extensionHead.size, EXTENSION_ALIGNMENT);
  const name = cleanText(dataFile.name, Math.min(max, DATA_FILE_NAME_MAX)) || "data";
  room.take(extensionSize(utf8(name).length));
  return { name, raw: dataFile.raw };
}

/** The backing file, with its format if the extension for it fits. */
function fittingFormat(backing: Qcow2Model["backing"], room: Room): Qcow2Model["backing"] {
  if (backing?.format === undefined) return backing;
  const format = cleanText(backing.format, limits.backingFormat);
  return room.take(extensionSize(utf8(format).length))
    ? { name: backing.name, format }
    : { name: backing.name };
}

function fittingExtensions(
  extensions: readonly UnknownExtension[],
  room: Room,
): UnknownExtension[] {
  const used = new Set<number>();
  const kept: UnknownExtension[] = [];
  for (const { type, length, seed } of extensions) {
    const most = room.left - extensionHead.size;
    if (most < 0) break;
    const fitting = clamp(length, 0, most);
    if (!room.take(extensionSize(fitting))) continue;
    kept.push({ type: unknownType(type, used), length: fitting, seed: seed >>> 0 });
  }
  return kept;
}
