import { hex } from "../bytes/mod.ts";
import { type MapEntry, visible } from "../format/mod.ts";

/** One entry of a map as qemu-img prints it in JSON: one line, without what is between entries. */
export function mapLine(entry: MapEntry): string {
  const members = [
    `"start": ${BigInt(entry.start)}`,
    `"length": ${BigInt(entry.length)}`,
    `"depth": ${entry.depth}`,
    ...flag("present", entry.present),
    ...flag("zero", entry.zero),
    ...flag("data", entry.data),
    ...flag("compressed", entry.compressed),
    ...(entry.offset === undefined ? [] : [`"offset": ${BigInt(entry.offset)}`]),
  ];
  return `{ ${members.join(", ")}}`;
}

function flag(name: string, value: boolean | undefined): string[] {
  return value === undefined ? [] : [`"${name}": ${value}`];
}

const COLUMN = 16;

/** The heading of a map for a person. */
export const MAP_HEADING = mapRow(["Offset", "Length", "Mapped to", "File"]);

/**
 * An entry of a map for a person, or nothing where it holds no data. What cannot be mapped to an offset
 * says why, where qemu-img gives up.
 *
 * @param files names of the files of the backing chain, from the top down
 */
export function mapRowOf(entry: MapEntry, files: readonly string[]): string | undefined {
  if (!entry.data || entry.zero) return undefined;
  const place = entry.offset === undefined
    ? entry.compressed === true ? "compressed" : "encrypted"
    : digits(entry.offset);
  const file = visible(files[entry.depth] ?? "");
  return mapRow([digits(entry.start), digits(entry.length), place, file]);
}

function mapRow([offset = "", length = "", place = "", file = ""]: readonly string[]): string {
  return offset.padEnd(COLUMN) + length.padEnd(COLUMN) + place.padEnd(COLUMN) + file;
}

/** Hexadecimal as C's `%#x` writes it: 0 has no prefix. */
function digits(value: number): string {
  return value === 0 ? "0" : hex(value);
}
