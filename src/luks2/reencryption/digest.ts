import { concat, utf8 } from "../../bytes/mod.ts";
import { writeUint } from "../../layout/mod.ts";
import { metadata } from "../json/description.ts";
import { looseUint64, low32, text } from "../json/scalars.ts";
import { allMembers, type Member, type Members } from "../json/schema.ts";
import { type JsonNode, member } from "../json/value.ts";
import type { Reencryption } from "./reencryption.ts";

/** Longest text that is included, in bytes. */
const TEXT_MAX = 64;

const { keyslots, segments } = metadata.members;
const slotMembers = allMembers(keyslots.entry);
const segmentMembers = allMembers(segments.entry);
const areaMembers = allMembers(slotMembers["area"] as typeof keyslots.entry.members.area);

const LINEAR = ["type", "offset", "size"];
const SEGMENTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["linear", LINEAR],
  ["crypt", [...LINEAR, "iv_tweak", "encryption", "sector_size"]],
]);
const CHECKSUM = ["hash", "sector_size"];
const AREAS: ReadonlyMap<string, readonly string[]> = new Map([
  ["checksum", CHECKSUM],
  ["datashift", ["shift_size"]],
  ["datashift-journal", ["shift_size"]],
  ["datashift-checksum", [...CHECKSUM, "shift_size"]],
]);

/**
 * The bytes that have the digest of a reencryption: its version, both volume keys, its key slot and its
 * backup segments, so that only the owner of a key can change them.
 *
 * @param keys of the data as it was and as it becomes, where it has one; a key for both is given once
 * @returns `undefined` where a value is missing, empty, or a text of more than 64 bytes
 * @see LUKS2 On-Disk Format 1.1.1, 4.9.2 Keyslot Protection, Figure 6
 */
export function protectedBytes(
  { slot, version, previous, final, moved }: Reencryption,
  keys: readonly Uint8Array[],
): Uint8Array | undefined {
  if (keys.length === 0) return undefined;
  const areaNames = ["type", "offset", "size", ...AREAS.get(slot.area.type) ?? []];
  const backups = [previous.segment, final.segment, ...moved === undefined ? [] : [moved]];
  const parts = [
    utf8(`v${version}`),
    ...keys,
    ...valuesOf(slot.node, slotMembers, ["mode", "direction"]),
    ...valuesOf(member(slot.node, "area"), areaMembers, areaNames),
    ...backups.flatMap(({ node, type }) => {
      const names = SEGMENTS.get(type);
      return names === undefined ? [undefined] : valuesOf(node, segmentMembers, names);
    }),
  ];
  if (!parts.every((part) => part !== undefined)) return undefined;
  return concat(...parts);
}

function valuesOf(
  node: JsonNode | undefined,
  described: Members,
  names: readonly string[],
): (Uint8Array | undefined)[] {
  return names.map((name) => valueBytes(member(node, name), described[name] as Member));
}

function valueBytes(node: JsonNode | undefined, described: Member): Uint8Array | undefined {
  if (described.sort === "integer") {
    const value = low32(node);
    return value === undefined ? undefined : bigEndian(BigInt(value), 4);
  }
  const said = text(node);
  if (said === undefined) return undefined;
  if (described.sort === "digits" && said !== described.word) {
    return bigEndian(looseUint64(node) ?? 0n, 8);
  }
  const bytes = utf8(said);
  return bytes.length === 0 || bytes.length > TEXT_MAX ? undefined : bytes;
}

function bigEndian(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  writeUint(bytes, 0, width, value);
  return bytes;
}
