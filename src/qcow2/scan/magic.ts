import { type ByteSource, PatchedSource } from "../../bytes/mod.ts";
import type { ProposedField, Remains } from "../../format/mod.ts";
import { fieldOf, offsetOf, readField, writeField } from "../../layout/mod.ts";
import { Findings } from "../../rules/mod.ts";
import { decodeQcow2 } from "../decode.ts";
import type { FoundRule } from "../findings.ts";
import { readBitmaps } from "../judge/bitmaps.ts";
import { judgeHeader } from "../judge/header.ts";
import { readSnapshotTable } from "../judge/snapshots.ts";
import { Qcow2Layer } from "../layer.ts";
import { header as headerStruct, QCOW_MAGIC } from "../structures.ts";

/** The fields that are overwritten first, and the values that they may have had. */
const START_BYTES = offsetOf(headerStruct, "backing_file_offset");
const VERSIONS = [3, 2];

/** An image whose header is intact except for its first fields: all else leads to sound tables. */
export function headerWithoutMagic(source: ByteSource): Remains | undefined {
  for (const version of VERSIONS) {
    const bytes = new Uint8Array(START_BYTES);
    const write = (name: "magic" | "version", value: number): void =>
      writeField(fieldOf(headerStruct, name), BigInt(value), {
        target: bytes,
        at: offsetOf(headerStruct, name),
      });
    write("magic", QCOW_MAGIC);
    write("version", version);
    const found = judged(new PatchedSource(source, [{ offset: 0, bytes }]));
    if (found === undefined) continue;
    const stored = source.read(0, START_BYTES);
    const isIntact = stored.every((byte, at) => byte === bytes[at]);
    return {
      format: "qcow2",
      confidence: "certain",
      evidence: [
        isIntact
          ? "The header is intact"
          : "The header is intact except for its magic and version, and all refcounts agree with it",
      ],
      fields: found,
      unknown: [],
      ...(isIntact ? {} : { repair: [{ offset: 0, bytes }] }),
    };
  }
  return undefined;
}

/** The fields of a header, if nothing is wrong with it and its tables. */
function judged(source: ByteSource): ProposedField[] | undefined {
  const file = decodeQcow2(source);
  const findings = new Findings<FoundRule>();
  const { header } = file;
  const geometry = judgeHeader(file, findings);
  if (geometry === undefined || findings.refusal("info") !== undefined) return undefined;
  if (header.refcount_table_offset === 0n || header.l1_size === 0) return undefined;
  const layer = new Qcow2Layer({
    file,
    geometry,
    snapshots: readSnapshotTable(file),
    bitmaps: readBitmaps(file),
    encryption: undefined,
  });
  const counts = layer.check(findings);
  if (counts === undefined || counts.corruptions > 0) return undefined;
  return headerStruct.fields.filter(({ kind, name }) => kind !== "bytes" && name !== "magic").map((
    field,
  ) => ({
    name: field.name,
    value: Number(
      readField(field, source.read(0, headerStruct.size), offsetOf(headerStruct, field.name)),
    ),
    ...(field.pointsTo === undefined ? {} : { isOffset: true }),
  }));
}
