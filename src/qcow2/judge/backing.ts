import { judgeOf } from "../../layout/mod.ts";
import type { Qcow2File } from "../decode.ts";
import { type Findings, inHeader, must } from "../findings.ts";
import { header as headerStruct, limits } from "../structures.ts";

/** Bytes of the first cluster after `backing_file_offset`. */
function roomForName({ header }: Qcow2File): number {
  return Number((1n << BigInt(header.cluster_bits)) - header.backing_file_offset);
}

/** The backing file name as stored, or `undefined` if there is none or it is rejected. */
export function backingNameBytes(file: Qcow2File): Uint8Array | undefined {
  const { header, source } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n || offset > 1n << BigInt(header.cluster_bits)) return undefined;
  if (header.backing_file_size > Math.min(limits.backingName, roomForName(file))) return undefined;
  const name = source.read(Number(offset), header.backing_file_size);
  return name.length === 0 || name[0] === 0 ? undefined : name;
}

/** Judges the backing file name. */
export function judgeBackingName(file: Qcow2File, findings: Findings): void {
  const { header } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n || offset > 1n << BigInt(header.cluster_bits)) return;
  const place = { path: "/backing_name", offset };
  const judge = judgeOf(headerStruct, header, {
    context: { "rest of the first cluster": roomForName(file) },
    place: inHeader,
    findings,
  });
  if (!judge("qcow2.backing.name-length")) return;
  const name = backingNameBytes(file);
  must(name !== undefined, findings, {
    rule: "qcow2.backing.empty",
    place,
    message: () => "The backing file name is empty: there is no backing file",
  });
  must(Number(offset) >= header.header_length, findings, {
    rule: "qcow2.backing.name-position",
    place: inHeader("backing_file_offset"),
    message: () => `backing_file_offset is ${offset}, inside the header`,
  });
  must(name === undefined || !name.includes(0), findings, {
    rule: "blk.name.nul",
    place,
    message: () => "The backing file name contains a NUL byte and ends there",
  });
}
