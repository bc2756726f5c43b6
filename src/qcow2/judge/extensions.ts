import { hex } from "../../bytes/mod.ts";
import type { DriverOptions } from "../../format/mod.ts";
import { type Context, decode, firstBroken, judgeOf } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { type Extension, extensionData, extensionOf, has, type Qcow2File } from "../decode.ts";
import { type Encryption, openDraftLuks, openEmbeddedLuks, openLegacyAes } from "../encryption.ts";
import { type Findings, type FoundRule, inHeader, must } from "../findings.ts";
import {
  bitmapsExtension,
  cryptMethods,
  DRAFT_LUKS_EXTENSION,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  features,
} from "../structures.ts";

/**
 * Judges the header extensions, and what the header says about them, in the order in which QEMU does.
 *
 * @returns the encryption of the clusters, if they are encrypted and it is known
 */
export function judgeExtensions(
  file: Qcow2File,
  findings: Findings,
  options: DriverOptions = {},
): Encryption | undefined {
  const draft = options.dialect === "draft-2016" && file.header.crypt_method === cryptMethods.luks
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
      message: () => `The header extension ${hex(extension.type)} is present twice`,
    });
    seen.add(extension.type);
    judgeExtension(file, extension, { findings, place });
    const pointsToLuks = extension.type === extensionTypes.encryptionHeader &&
      judgeEncryptionPointer(file, extension, { findings, place });
    if (pointsToLuks) encryption = openEmbeddedLuks(file, extension, { findings, options });
  }
  must(file.endMarker || isNamePlacedFirst(file), findings, {
    rule: "qcow2.ext.end-required",
    place: { path: "/extensions", offset: file.extensionsEnd },
    message: () => "The extension area is full and has no end marker",
  });
  judgePresence(file, findings);
  if (file.header.crypt_method === cryptMethods.aes) return openLegacyAes(findings, options);
  return draft ?? encryption;
}

/** A name that starts where the extensions would: older images have it there, and no end marker. */
function isNamePlacedFirst({ header, extensionsStart, extensionsEnd }: Qcow2File): boolean {
  return extensionsStart >= extensionsEnd && Number(header.backing_file_offset) === extensionsEnd;
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
    message: () =>
      `The length of the extension is ${extension.length} bytes, but only ${left} are left`,
  });
}

function judgeExtension(file: Qcow2File, extension: Extension, at: At): void {
  const { findings, place } = at;
  switch (extension.type) {
    case extensionTypes.backingFormat:
      lengthJudge(extension, "backing format", at)("qcow2.ext.backing-format-length");
      judgeText(file, extension, at);
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
      judgeText(file, extension, at);
      break;
    default:
      findings.add(
        "qcow2.ext.unknown",
        place,
        `The header extension ${hex(extension.type)} is unknown`,
      );
  }
  judgePadding(file, extension, at);
}

/** The text of an extension has no terminator (qcow2.txt, String header extensions). */
function judgeText(file: Qcow2File, extension: Extension, { findings, place }: At): void {
  must(!extensionData(file, extension).includes(0), findings, {
    rule: "blk.name.nul",
    place,
    message: () => "The text of the extension contains a NUL byte",
  });
}

/** Judges the length of an extension of a kind. */
function lengthJudge(
  extension: Extension,
  kind: string,
  { findings, place }: At,
): (...rules: FoundRule[]) => boolean {
  return judgeOf(extensionHead, extension, {
    context: { [kind]: true },
    of: "the extension",
    place: () => place,
    findings,
  });
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
    broken = firstBroken(featureName, decode(featureName, data, i * featureName.size), {
      of: `feature name ${i}`,
      place: () => place,
      rules: ["qcow2.ext.feature-table-record"],
    })?.message;
  }
  if (broken === undefined) return;
  findings.add("qcow2.ext.feature-table-record", place, broken);
  findings.add("qcow2.ext.feature-table", place, `${broken}; QEMU accepts any table`);
}

/** Reports the extension of a draft, which the format does not have. */
function judgeDraft(file: Qcow2File, extension: Extension, { findings, place }: At): void {
  if (extension.type !== DRAFT_LUKS_EXTENSION || file.header.crypt_method !== cryptMethods.luks) {
    return;
  }
  findings.add(
    "qcow2.crypt.draft-2016",
    place,
    "The LUKS header is in a header extension, as in a draft of 2016 and not in the format",
  );
}

/** Returns whether it points to a header. */
function judgeEncryptionPointer(file: Qcow2File, extension: Extension, at: At): boolean {
  const { findings, place } = at;
  const expected = must(file.header.crypt_method === cryptMethods.luks, findings, {
    rule: "qcow2.ext.crypto-method",
    place,
    message: () => `There is an encryption header, but crypt_method is ${file.header.crypt_method}`,
  });
  if (!lengthJudge(extension, "encryption header", at)("qcow2.ext.crypto-length")) return false;
  const pointer = decode(encryptionPointer, extensionData(file, extension));
  const aligned = judgeOf(encryptionPointer, pointer, {
    context: clusterSizeOf(file),
    of: "the encryption header",
    place: () => place,
    findings,
  })("qcow2.ext.crypto-aligned");
  return expected && aligned;
}

function judgeBitmapsExtension(file: Qcow2File, extension: Extension, at: At): void {
  const { findings, place } = at;
  const sized = lengthJudge(extension, "bitmaps", at)("qcow2.ext.bitmaps-length");
  const used = must((file.header.autoclear_features & features.bitmaps) !== 0n, findings, {
    rule: "qcow2.ext.bitmaps-autoclear",
    place,
    message: () => "The bitmaps autoclear bit is clear: the bitmaps are inconsistent and ignored",
  });
  if (!sized || !used) return;
  judgeOf(bitmapsExtension, decode(bitmapsExtension, extensionData(file, extension)), {
    context: clusterSizeOf(file),
    of: "the bitmaps extension",
    place: () => place,
    findings,
  })(
    "qcow2.ext.bitmaps-reserved",
    "qcow2.ext.bitmaps-count-max",
    "qcow2.ext.bitmaps-count-min",
    "qcow2.ext.bitmaps-dir-aligned",
    "qcow2.ext.bitmaps-dir-size-max",
  );
}

function clusterSizeOf({ header }: Qcow2File): Context {
  return { "cluster size": 2 ** header.cluster_bits };
}

/** Extensions that the header requires must be present. */
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
    header.crypt_method !== cryptMethods.luks ||
      extensionOf(file, extensionTypes.encryptionHeader) !== undefined,
    findings,
    {
      rule: "qcow2.crypt.luks-ext-present",
      place: inHeader("crypt_method"),
      message: () => "crypt_method is LUKS, but there is no encryption header pointer",
    },
  );
}
