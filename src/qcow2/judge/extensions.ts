import type { DriverOptions } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { type Extension, extensionData, extensionOf, has, type Qcow2File } from "../decode.ts";
import { type Encryption, openDraftLuks, openEmbeddedLuks, openLegacyAes } from "../encryption.ts";
import { type Findings, hex, inHeader, must } from "../findings.ts";
import {
  bitmapsExtension,
  DRAFT_LUKS_EXTENSION,
  encryptionPointer,
  extensionTypes,
  featureName,
  features,
} from "../structures.ts";

/** QEMU's limits; each is a `limit` rule of the catalogue. */
const MAX_BACKING_FORMAT = 15;
const MAX_BITMAPS = 65535;
const MAX_DIRECTORY_BYTES = 1024n * 65535n;
const AES = 1;
const LUKS = 2;

/**
 * Judges the header extensions, and what the header says about them, in the order in which QEMU does.
 *
 * @returns how the clusters are encrypted, where they are and that can be told
 */
export function judgeExtensions(
  file: Qcow2File,
  findings: Findings,
  options: DriverOptions = {},
): Encryption | undefined {
  const draft = options.dialect === "draft-2016" && file.header.crypt_method === LUKS
    ? openDraftLuks(file, { findings, options })
    : undefined;
  const seen = new Set<number>();
  let encryption: Encryption | undefined;
  for (const [index, extension] of file.extensions.entries()) {
    const place = { path: `/extension[${index}]`, offset: extension.offset };
    judgeDraft(file, extension, { findings, place });
    if (!judgeArea(file, extension, { findings, place })) return draft;
    if (extension.type === extensionTypes.end) break;
    must(!seen.has(extension.type), findings, {
      rule: "qcow2.ext.unique",
      place,
      message: () => `The header extension ${hex(extension.type)} stands twice`,
    });
    seen.add(extension.type);
    judgeExtension(file, extension, { findings, place });
    const pointsToLuks = extension.type === extensionTypes.encryptionHeader &&
      judgeEncryptionPointer(file, extension, { findings, place });
    if (pointsToLuks) encryption = openEmbeddedLuks(file, extension, { findings, options });
  }
  must(file.endMarker || file.extensionsStart >= file.extensionsEnd, findings, {
    rule: "qcow2.ext.end-required",
    place: { path: "/extensions", offset: file.extensionsEnd },
    message: () => "The extension area is full and has no end marker",
  });
  judgePresence(file, findings);
  if (file.header.crypt_method === AES) return openLegacyAes(findings, options);
  return draft ?? encryption;
}

interface At {
  readonly findings: Findings;
  readonly place: Place;
}

function judgeArea(file: Qcow2File, extension: Extension, { findings, place }: At): boolean {
  const left = file.extensionsEnd - extension.dataOffset;
  return must(extension.headFits, findings, {
    rule: "qcow2.ext.header-in-area",
    place,
    message: () => `The extension's type and length run past the end of the area by ${-left} bytes`,
  }) && must(extension.dataFits, findings, {
    rule: "qcow2.ext.length-in-area",
    place,
    message: () => `The extension says ${extension.length} bytes where ${left} are left`,
  });
}

function judgeExtension(file: Qcow2File, extension: Extension, at: At): void {
  const { findings, place } = at;
  switch (extension.type) {
    case extensionTypes.backingFormat:
      must(extension.length <= MAX_BACKING_FORMAT, findings, {
        rule: "qcow2.ext.backing-format-length",
        place,
        message: () => `The backing format is ${extension.length} bytes long, more than 15`,
      });
      break;
    case extensionTypes.featureNameTable:
      judgeFeatureNames(file, extension, at);
      break;
    case extensionTypes.encryptionHeader:
      break;
    case extensionTypes.bitmaps:
      judgeBitmapsExtension(file, extension, at);
      break;
    case extensionTypes.dataFile:
      must(has(file, "dataFile"), findings, {
        rule: "qcow2.ext.data-file-any",
        place,
        message: () => "A data file is named, but the image does not have one",
      });
      break;
    default:
      findings.add(
        "qcow2.ext.unknown",
        place,
        `The header extension ${hex(extension.type)} is not known`,
      );
  }
  judgePadding(file, extension, at);
}

function judgePadding(file: Qcow2File, extension: Extension, { findings, place }: At): void {
  const padding = (8 - extension.length % 8) % 8;
  const stored = file.source.read(extension.dataOffset + extension.length, padding);
  must(stored.every((byte) => byte === 0), findings, {
    rule: "qcow2.ext.padding",
    place,
    message: () => "The padding after the extension is not zero",
  });
}

function judgeFeatureNames(file: Qcow2File, extension: Extension, { findings, place }: At): void {
  const data = extensionData(file, extension);
  const records = Math.floor(data.length / featureName.size);
  let broken = data.length % featureName.size === 0
    ? undefined
    : `The feature name table is ${data.length} bytes long, not a multiple of ${featureName.size}`;
  for (let i = 0; i < records && broken === undefined; i++) {
    const { type, bit } = decode(featureName, data, i * featureName.size);
    if (type > 2) broken = `Feature name ${i} has the type ${type}`;
    else if (bit > 63) broken = `Feature name ${i} has the bit number ${bit}`;
  }
  if (broken === undefined) return;
  findings.add("qcow2.ext.feature-table-record", place, broken);
  findings.add("qcow2.ext.feature-table", place, `${broken}; QEMU takes any table`);
}

/** Names the extension of a draft, which is not known to the format. */
function judgeDraft(file: Qcow2File, extension: Extension, { findings, place }: At): void {
  if (extension.type !== DRAFT_LUKS_EXTENSION || file.header.crypt_method !== LUKS) return;
  findings.add(
    "qcow2.crypt.draft-2016",
    place,
    "The LUKS header stands in a header extension, as in a draft of 2016 and not in the format",
  );
}

/** Gives back whether it leads to a header. */
function judgeEncryptionPointer(file: Qcow2File, extension: Extension, at: At): boolean {
  const { findings, place } = at;
  const expected = must(file.header.crypt_method === LUKS, findings, {
    rule: "qcow2.ext.crypto-method",
    place,
    message: () => `There is an encryption header, but crypt_method is ${file.header.crypt_method}`,
  });
  const sized = must(extension.length === encryptionPointer.size, findings, {
    rule: "qcow2.ext.crypto-length",
    place,
    message: () => `The encryption header pointer is ${extension.length} bytes long, not 16`,
  });
  if (!sized) return false;
  const { offset } = decode(encryptionPointer, extensionData(file, extension));
  const aligned = must(offset % (1n << BigInt(file.header.cluster_bits)) === 0n, findings, {
    rule: "qcow2.ext.crypto-aligned",
    place,
    message: () => `The encryption header lies at ${hex(offset)}, off a cluster boundary`,
  });
  return expected && aligned;
}

function judgeBitmapsExtension(file: Qcow2File, extension: Extension, at: At): void {
  const { findings, place } = at;
  const sized = must(extension.length === bitmapsExtension.size, findings, {
    rule: "qcow2.ext.bitmaps-length",
    place,
    message: () => `The bitmaps extension is ${extension.length} bytes long, not 24`,
  });
  const used = must((file.header.autoclear_features & features.bitmaps) !== 0n, findings, {
    rule: "qcow2.ext.bitmaps-autoclear",
    place,
    message: () => "The bitmaps autoclear bit is clear: the bitmaps are inconsistent and ignored",
  });
  if (!sized || !used) return;
  const fields = decode(bitmapsExtension, extensionData(file, extension));
  must(fields.reserved === 0, findings, {
    rule: "qcow2.ext.bitmaps-reserved",
    place,
    message: () => `The reserved field of the bitmaps extension is ${hex(fields.reserved)}`,
  });
  must(fields.nb_bitmaps <= MAX_BITMAPS, findings, {
    rule: "qcow2.ext.bitmaps-count-max",
    place,
    message: () => `nb_bitmaps is ${fields.nb_bitmaps}, more than QEMU's limit of 65535`,
  });
  must(fields.nb_bitmaps >= 1, findings, {
    rule: "qcow2.ext.bitmaps-count-min",
    place,
    message: () => "nb_bitmaps is 0",
  });
  const { bitmap_directory_offset: offset, bitmap_directory_size: size } = fields;
  must(offset % (1n << BigInt(file.header.cluster_bits)) === 0n, findings, {
    rule: "qcow2.ext.bitmaps-dir-aligned",
    place,
    message: () => `The bitmap directory lies at ${hex(offset)}, off a cluster boundary`,
  });
  must(size <= MAX_DIRECTORY_BYTES, findings, {
    rule: "qcow2.ext.bitmaps-dir-size-max",
    place,
    message: () => `The bitmap directory is ${size} bytes long, more than QEMU's limit`,
  });
}

/** What the header announces has to be there. */
function judgePresence(file: Qcow2File, findings: Findings): void {
  const { header } = file;
  must(
    (header.autoclear_features & features.bitmaps) === 0n ||
      extensionOf(file, extensionTypes.bitmaps) !== undefined,
    findings,
    {
      rule: "qcow2.header.bitmaps-bit-without-ext",
      place: inHeader("autoclear_features"),
      message: () => "The bitmaps autoclear bit is set, but there is no bitmaps extension",
    },
  );
  const dataFile = extensionOf(file, extensionTypes.dataFile);
  if (has(file, "dataFile")) {
    const place = inHeader("incompatible_features");
    must(dataFile !== undefined, findings, {
      rule: "qcow2.datafile.named",
      place,
      message: () => "The image has an external data file and does not name it",
    });
    const first = dataFile === undefined ? 1 : file.source.read(dataFile.dataOffset, 1)[0];
    must(dataFile === undefined || dataFile.length > 0 && first !== 0, findings, {
      rule: "qcow2.datafile.name-nonempty",
      place,
      message: () => "The name of the external data file is empty",
    });
  }
  must(
    header.crypt_method !== LUKS ||
      extensionOf(file, extensionTypes.encryptionHeader) !== undefined,
    findings,
    {
      rule: "qcow2.crypt.luks-ext-present",
      place: inHeader("crypt_method"),
      message: () => "crypt_method is LUKS, but there is no encryption header pointer",
    },
  );
}
