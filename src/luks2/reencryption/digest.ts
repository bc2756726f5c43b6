import type { JsonNode } from "../json/value.ts";
import { integer, looseUint64, member, text } from "../json/access.ts";
import type { Reencryption } from "./reencryption.ts";

/** Letters that a text in it has at most. */
const TEXT_MAX = 64;

type Kind = "text" | "uint64" | "size" | "uint32";
type Field = readonly [name: string, kind: Kind];

const SLOT: readonly Field[] = [["mode", "text"], ["direction", "text"]];
const AREA: readonly Field[] = [["type", "text"], ["offset", "uint64"], ["size", "uint64"]];
const CHECKSUM: readonly Field[] = [["hash", "text"], ["sector_size", "uint32"]];
const SHIFT: readonly Field[] = [["shift_size", "uint64"]];
const MORE_OF_AREA: Readonly<Record<string, readonly Field[]>> = {
  checksum: CHECKSUM,
  datashift: SHIFT,
  "datashift-journal": SHIFT,
  "datashift-checksum": [...CHECKSUM, ...SHIFT],
};

const LINEAR: readonly Field[] = [["type", "text"], ["offset", "uint64"], ["size", "size"]];
const SEGMENTS: Readonly<Record<string, readonly Field[]>> = {
  linear: LINEAR,
  crypt: [...LINEAR, ["iv_tweak", "uint64"], ["encryption", "text"], ["sector_size", "uint32"]],
};

/**
 * What the digest of a reencryption is taken over: its version, both volume keys, its key slot and its
 * backup segments, so that nobody who has no key can make a reader go by others.
 *
 * @param keys of the data as it was and as it is to become, where it has one; one key is given once
 * @returns `undefined` where a value is missing, empty, or a text of more than 64 bytes
 * @see LUKS2 On-Disk Format 1.1.1, 4.9.2 Keyslot Protection, Figure 6
 */
export function protectedBytes(
  { slot, version, previous, final, moved }: Reencryption,
  keys: readonly Uint8Array[],
): Uint8Array | undefined {
  if (keys.length === 0) return undefined;
  const area = member(slot.node, "area");
  const type = text(member(area, "type")) ?? "";
  const more = Object.hasOwn(MORE_OF_AREA, type) ? MORE_OF_AREA[type] : undefined;
  const backups = [previous.segment, final.segment, ...moved === undefined ? [] : [moved]];
  const parts = [
    new TextEncoder().encode(`v${version}`),
    ...keys,
    serialised(slot.node, SLOT),
    serialised(area, [...AREA, ...more ?? []]),
    ...backups.map(({ node, type }) =>
      Object.hasOwn(SEGMENTS, type) ? serialised(node, SEGMENTS[type] ?? []) : undefined
    ),
  ];
  return parts.every((part) => part !== undefined) ? joined(parts) : undefined;
}

function serialised(node: JsonNode | undefined, fields: readonly Field[]): Uint8Array | undefined {
  const parts = fields.map(([name, kind]) => valueBytes(member(node, name), kind));
  return parts.every((part) => part !== undefined) ? joined(parts) : undefined;
}

function valueBytes(node: JsonNode | undefined, kind: Kind): Uint8Array | undefined {
  if (kind === "uint32") {
    const value = integer(node);
    return value === undefined ? undefined : bigEndian(BigInt.asUintN(32, value), 4);
  }
  const said = text(node);
  if (said === undefined) return undefined;
  if (kind === "uint64" || kind === "size" && said !== "dynamic") {
    return bigEndian(looseUint64(node) ?? 0n, 8);
  }
  const bytes = new TextEncoder().encode(said);
  return bytes.length === 0 || bytes.length > TEXT_MAX ? undefined : bytes;
}

function bigEndian(value: bigint, width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes.subarray(8 - width);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
