import type { Qcow2File } from "../decode.ts";
import { type Findings, inHeader, must } from "../findings.ts";

const MAX_NAME = 1023;

/** Longest backing file name that fits behind `backing_file_offset`. */
function nameLimit({ header }: Qcow2File): number {
  const room = (1n << BigInt(header.cluster_bits)) - header.backing_file_offset;
  return Math.min(MAX_NAME, Number(room));
}

/** The backing file name as stored, or `undefined` where the image has none or it is refused. */
export function backingNameBytes(file: Qcow2File): Uint8Array | undefined {
  const { header, source } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n || offset > 1n << BigInt(header.cluster_bits)) return undefined;
  if (header.backing_file_size > nameLimit(file)) return undefined;
  const name = source.read(Number(offset), header.backing_file_size);
  return name.length === 0 || name[0] === 0 ? undefined : name;
}

/** Judges the backing file name. */
export function judgeBackingName(file: Qcow2File, findings: Findings): void {
  const { header } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n || offset > 1n << BigInt(header.cluster_bits)) return;
  const length = header.backing_file_size;
  const place = { path: "/backing_name", offset };
  const fits = must(length <= nameLimit(file), findings, {
    rule: "qcow2.backing.name-length",
    place: inHeader("backing_file_size"),
    message: () => `The backing file name is ${length} bytes long; at most ${nameLimit(file)} fit`,
  });
  if (!fits) return;
  const name = backingNameBytes(file);
  must(name !== undefined, findings, {
    rule: "qcow2.backing.empty",
    place,
    message: () => "The backing file name is empty: there is no backing file",
  });
  must(Number(offset) >= header.header_length, findings, {
    rule: "qcow2.backing.name-position",
    place: inHeader("backing_file_offset"),
    message: () => `The backing file name lies at ${offset}, inside the header`,
  });
  must(name === undefined || !name.includes(0), findings, {
    rule: "blk.name.nul",
    place,
    message: () => "The backing file name holds a NUL byte and ends there",
  });
}
