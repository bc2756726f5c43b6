import { WindowSource } from "../../bytes/mod.ts";
import type { AnatomyCollector, Part } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { luks1Anatomy } from "../../luks1/mod.ts";
import { extensionData, extensionOf, firstExtensionOf, type Qcow2File } from "../decode.ts";
import { DRAFT_LUKS_EXTENSION, encryptionPointer, extensionTypes } from "../structures.ts";

/** The LUKS header and its key slots, described by the LUKS format. */
export function encryptionParts(file: Qcow2File, collector: AnatomyCollector): void {
  if (collector.options.dialect === "draft-2016") draftHeader(file, collector);
  const extension = extensionOf(file, extensionTypes.encryptionHeader);
  if (extension === undefined || extension.length !== encryptionPointer.size) return;
  const { offset, length } = decode(encryptionPointer, extensionData(file, extension));
  collector.claim({
    path: "/encryption_header",
    offset: Number(offset),
    length: Number(length),
    kind: "table",
    says: "LUKS header and key material",
  });
  const base = Number(offset);
  const region = new WindowSource(file.source, base, Number(length));
  luks1Parts(luks1Anatomy(region, collector.options).parts, base, collector);
}

/** The header in an extension, as in the 2016 draft. The extension also contains the key material. */
function draftHeader(file: Qcow2File, collector: AnatomyCollector): void {
  const extension = firstExtensionOf(file, DRAFT_LUKS_EXTENSION);
  if (extension === undefined || !extension.headFits) return;
  const base = extension.dataOffset;
  const region = new WindowSource(file.source, base, extension.length);
  luks1Parts(luks1Anatomy(region, collector.options).parts, base, collector);
}

function luks1Parts(parts: readonly Part[], base: number, collector: AnatomyCollector): void {
  for (const part of parts) {
    const rows = Array.from(part.rows, (row) => ({ ...row, ...moved(row, base) }));
    collector.part({ ...part, ...moved(part, base), rows });
  }
}

/** A place in the LUKS header as a place in the image. */
function moved(
  { path, offset }: { path: string; offset: number },
  base: number,
): { path: string; offset: number } {
  return { path: `/luks${path}`, offset: base + offset };
}
