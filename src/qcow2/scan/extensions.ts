import { type ByteSource, readUpTo, roundUp } from "../../bytes/mod.ts";
import { type KnownFacts, plainText } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { EXTENSION_ALIGNMENT } from "../encode/extensions.ts";
import {
  bitmapsExtension,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  headerV2,
  limits,
} from "../structures.ts";

/** Header extensions of which the header itself is lost. */
export interface LostExtensions extends Pick<KnownFacts, "backing" | "dataFile"> {
  /** Where the first one is. */
  readonly offset: number;
}

/** Bytes from the start of a file that may contain extensions. */
const AREA = 2 ** 16;

/**
 * Looks for header extensions behind what was overwritten. They are believed if the area ends as it must;
 * the name of the backing file follows them.
 */
export function findExtensions(source: ByteSource): LostExtensions | undefined {
  const area = readUpTo(source, 0, AREA);
  for (let at = headerV2.size; at < area.length; at += EXTENSION_ALIGNMENT) {
    const found = chainAt(area, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function chainAt(area: Uint8Array, start: number): LostExtensions | undefined {
  let format: string | undefined;
  let dataFile: string | undefined;
  let at = start;
  for (; at < area.length;) {
    const { type, length } = decode(extensionHead, area, at);
    at += extensionHead.size;
    if (type === extensionTypes.end) break;
    const data = area.subarray(at, at + length);
    if (!isPlausible(type, data, length)) return undefined;
    if (type === extensionTypes.backingFormat) format = plainText(data);
    if (type === extensionTypes.dataFile) dataFile = plainText(data);
    at += roundUp(length, EXTENSION_ALIGNMENT);
  }
  if (at >= area.length || at === start + extensionHead.size) return undefined;
  const rest = area.subarray(at, at + limits.backingName + 1);
  const name = plainText(rest.subarray(0, Math.max(0, rest.indexOf(0))));
  return {
    offset: start,
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(name === undefined || name === "" ? {} : {
      backing: { name, ...(format === undefined ? {} : { format }) },
    }),
  };
}

function isPlausible(type: number, data: Uint8Array, length: number): boolean {
  if (data.length !== length || length === 0) return false;
  switch (type) {
    case extensionTypes.featureNameTable:
      return length % featureName.size === 0;
    case extensionTypes.bitmaps:
      return length === bitmapsExtension.size;
    case extensionTypes.encryptionHeader:
      return length === encryptionPointer.size;
    case extensionTypes.backingFormat:
      return length <= limits.backingFormat && plainText(data) !== undefined;
    case extensionTypes.dataFile:
      return length <= limits.backingName && plainText(data) !== undefined;
    default:
      return false;
  }
}
