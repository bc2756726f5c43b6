import { hex } from "../../bytes/mod.ts";
import {
  type AnatomyCollector,
  type AnatomyRow,
  bytesRows,
  imageText,
  structRows,
  textRows,
} from "../../format/mod.ts";
import { decode, type Struct } from "../../layout/mod.ts";
import { type Extension, type Qcow2File } from "../decode.ts";
import {
  bitmapsExtension,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  header as headerStruct,
  headerV2,
  headerV3Minimal,
  limits,
} from "../structures.ts";

/** Maximum number of extensions that are listed. */
const EXTENSIONS_MAX = 64;

/** The header, the rest of the first cluster, and the claim to that cluster. */
export function headerParts(file: Qcow2File, collector: AnatomyCollector): void {
  const { source, geometry } = file;
  const struct = structOf(file);
  const place = { path: "/header", offset: 0 };
  const version = `header of version ${file.header.version}`;
  collector.part({
    ...place,
    title: version,
    length: struct.size,
    rows: structRows(struct, source, place),
  });
  collector.claim({ ...place, length: geometry?.clusterSize ?? struct.size, kind: "header" });
  if (geometry === undefined) {
    collector.unknown(
      "The header has no valid cluster size: the rest of the image cannot be inspected",
    );
    return;
  }
  unknownFields(file, struct, collector);
  for (const [index, extension] of file.extensions.entries()) {
    if (index >= EXTENSIONS_MAX) {
      collector.gap(`${file.extensions.length - index} more header extensions are not shown`);
      break;
    }
    extensionPart(file, { extension, index }, collector);
  }
  backingName(file, collector);
}

function structOf({ header }: Qcow2File): Struct {
  if (header.version < 3) return headerV2;
  return header.header_length >= headerStruct.size ? headerStruct : headerV3Minimal;
}

/** The rest of the header up to header_length, after the known fields. */
function unknownFields(file: Qcow2File, known: Struct, collector: AnatomyCollector): void {
  const { source, geometry, extensionsStart } = file;
  const end = Math.min(extensionsStart, geometry?.clusterSize ?? 0, source.size);
  const place = { path: "/header/unknown", offset: known.size, length: end - known.size };
  if (place.length <= 0) return;
  const rows = bytesRows(source, place, "Unknown fields.");
  collector.part({ ...place, title: "rest of the header", rows });
}

const TITLES: Readonly<Record<number, string>> = {
  [extensionTypes.end]: "end of the header extensions",
  [extensionTypes.backingFormat]: "backing file format",
  [extensionTypes.featureNameTable]: "feature name table",
  [extensionTypes.bitmaps]: "bitmaps extension",
  [extensionTypes.encryptionHeader]: "full disk encryption header pointer",
  [extensionTypes.dataFile]: "external data file name",
};

function extensionPart(
  file: Qcow2File,
  at: { extension: Extension; index: number },
  collector: AnatomyCollector,
): void {
  const { extension, index } = at;
  const { offset, type, length } = extension;
  const path = `/extension[${index}]`;
  const title = TITLES[type] ?? `header extension of the unknown type ${hex(type)}`;
  const head = structRows(extensionHead, file.source, { offset, path });
  const data = extension.dataFits ? dataRows(file, extension, path) : [];
  const whole = extensionHead.size + (extension.dataFits ? length : 0);
  collector.part({ path, title, offset, length: whole, rows: [...head, ...data] });
}

function dataRows({ source }: Qcow2File, extension: Extension, path: string): AnatomyRow[] {
  const { dataOffset: offset, length } = extension;
  const place = { offset, length, path: `${path}/data` };
  switch (extension.type) {
    case extensionTypes.end:
      return [];
    case extensionTypes.backingFormat:
      return textRows(source, place, "Format of the backing file.");
    case extensionTypes.dataFile:
      return textRows(source, place, "Name of the data file.");
    case extensionTypes.bitmaps:
      if (length !== bitmapsExtension.size) break;
      return structRows(bitmapsExtension, source, { offset, path: "/bitmaps" });
    case extensionTypes.encryptionHeader:
      if (length !== encryptionPointer.size) break;
      return structRows(encryptionPointer, source, { offset, path: "/encryption_header_pointer" });
    case extensionTypes.featureNameTable:
      return featureRows(source, place);
  }
  return bytesRows(source, place, "Data of the extension.");
}

/** Maximum number of listed feature names: three bitmaps of 64 bits. */
const FEATURES_MAX = 192;

function featureRows(
  source: Qcow2File["source"],
  { offset, length }: { offset: number; length: number },
): AnatomyRow[] {
  const count = Math.min(FEATURES_MAX, Math.floor(length / featureName.size));
  return Array.from({ length: count }, (_, index) => {
    const place = { offset: offset + index * featureName.size, path: `/feature[${index}]` };
    const [type, bit] = structRows(featureName, source, place);
    const { name } = decode(featureName, source.read(place.offset, featureName.size));
    const value = `${type?.value}, bit ${bit?.value}: ${JSON.stringify(imageText(name))}`;
    return {
      ...place,
      length: featureName.size,
      bytes: source.read(place.offset, featureName.size),
      value,
      doc: "Name of a feature bit.",
    };
  });
}

function backingName(file: Qcow2File, collector: AnatomyCollector): void {
  const { backing_file_offset, backing_file_size } = file.header;
  if (backing_file_offset === 0n || backing_file_offset >= BigInt(file.source.size)) return;
  const place = {
    path: "/backing_name",
    offset: Number(backing_file_offset),
    length: Math.min(backing_file_size, limits.backingName),
  };
  const rows = textRows(file.source, place, "Name of the backing file.");
  if (rows.length > 0) collector.part({ ...place, title: "backing file name", rows });
}
