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

/**
 * An image whose header is valid, or would be with its first fields.
 *
 * Without them, it is not believed where its tables are damaged.
 */
export function storedHeader(source: ByteSource): Remains | undefined {
  const stored = source.read(0, START_BYTES);
  const starts = VERSIONS.map(startOf);
  const intact = starts.find((bytes) => stored.every((byte, at) => byte === bytes[at]));
  for (const bytes of intact === undefined ? starts : [intact]) {
    const found = judged(new PatchedSource(source, [{ offset: 0, bytes }]));
    if (found === undefined) continue;
    const { fields, corruptions } = found;
    if (intact !== undefined) return intactRemains(fields, corruptions);
    if (corruptions > 0) continue;
    return {
      format: "qcow2",
      confidence: "certain",
      evidence: [
        "The header is intact except for its magic and version, and all refcounts agree with it",
      ],
      fields,
      unknown: [],
      repair: [{ offset: 0, bytes }],
    };
  }
  return undefined;
}

function startOf(version: number): Uint8Array {
  const target = new Uint8Array(START_BYTES);
  const write = (name: "magic" | "version", value: number): void =>
    writeField(fieldOf(headerStruct, name), BigInt(value), {
      target,
      at: offsetOf(headerStruct, name),
    });
  write("magic", QCOW_MAGIC);
  write("version", version);
  return target;
}

function intactRemains(fields: readonly ProposedField[], corruptions: number): Remains {
  return {
    format: "qcow2",
    confidence: corruptions === 0 ? "certain" : "likely",
    evidence: [
      "The header is intact",
      ...(corruptions === 0 ? [] : [`check counts ${corruptions} corruptions of its tables`]),
    ],
    fields,
    unknown: [],
  };
}

/** The fields of a header, if nothing is wrong with it, and the damage of its tables. */
function judged(
  source: ByteSource,
): { fields: ProposedField[]; corruptions: number } | undefined {
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
  if (counts === undefined) return undefined;
  const bytes = source.read(0, headerStruct.size);
  const fields = headerStruct.fields
    .filter(({ kind, name }) => kind !== "bytes" && name !== "magic")
    .map((field) => ({
      name: field.name,
      value: Number(readField(field, bytes, offsetOf(headerStruct, field.name))),
      ...(field.pointsTo === undefined ? {} : { isOffset: true as const }),
    }));
  return { fields, corruptions: counts.corruptions };
}
