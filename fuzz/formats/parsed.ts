import * as fc from "fast-check";
import { type ByteSource, MemorySource, SECTOR } from "../../src/bytes/mod.ts";
import { type AnatomyRow, Marks, type Part, type Placed } from "../../src/format/mod.ts";
import { decode, type Struct } from "../../src/layout/mod.ts";
import { header as luks2Header, luks2Format } from "../../src/luks2/mod.ts";
import { limits } from "../../src/qcow2/mod.ts";
import { type Editable, Places, valueAt } from "../mutate/mod.ts";
import { type Kit, layOut } from "./kit.ts";
import { sealsOf } from "./luks2/volumes.ts";

/** How much of an image is listed: enough for edits, and little enough for each of millions. */
const LISTED = { rows: 64, tables: 64, entries: 4096, marks: new Marks([]) };
/** Models from which the structure of each path is learned. */
const SAMPLES = { numRuns: 100, seed: 1 };
const CLAIMS_MAX = 64;

/** Bytes as an image that edits can be applied to, and its unit of allocation in bytes. */
export interface ParsedImage extends Editable {
  readonly unit: number;
}

/**
 * Bytes of any origin as an image that edits can be applied to: the structures that a reader of the
 * format finds in them, at their places. Total.
 */
export function parsedImage(kit: Kit, bytes: Uint8Array): ParsedImage {
  const source = new MemorySource(bytes);
  const { parts, claims } = kit.format.driver.anatomy(source, LISTED);
  const structs = structsOf(kit);
  const placed = parts.flatMap((part) => placedPart(part, structs, bytes.length));
  let count = 0;
  for (const { kind, path, offset, length } of claims) {
    if (kind !== "data" && kind !== "compressed") continue;
    if (count++ >= CLAIMS_MAX) break;
    if (startsInside(offset, length, bytes.length)) {
      placed.push({ path: `/data${path}`, offset, length, role: "data" });
    }
  }
  return {
    segments: [{ offset: 0, bytes }],
    size: bytes.length,
    placed,
    unit: unitIn(source, placed),
    ...(kit.format.name === luks2Format.name ? { seals: sealsIn(source) } : {}),
  };
}

/** The size of a cluster, or of a sector. The limits of qcow2 are wider than those of qcow. */
function unitIn(source: ByteSource, placed: readonly Placed[]): number {
  const at = Places.of(placed).field("/header/cluster_bits");
  const bits = at === undefined ? 0 : Number(valueAt(source, at));
  const { min, max } = limits.clusterBits;
  return bits >= min && bits <= max ? 2 ** bits : SECTOR;
}

function startsInside(offset: number, length: number, size: number): boolean {
  return offset >= 0 && length > 0 && offset < size;
}

/** What a path with its indices left out can be the place of. */
type StructsByPath = ReadonlyMap<string, ReadonlyMap<Struct | undefined, Placed>>;

const known = new WeakMap<Kit, StructsByPath>();

/**
 * The structures of each path. The anatomy of an image lists fields by name and has no structures; the
 * images that the kit builds have both.
 */
function structsOf(kit: Kit): StructsByPath {
  const had = known.get(kit);
  if (had !== undefined) return had;
  const found = new Map<string, Map<Struct | undefined, Placed>>();
  for (const model of fc.sample(kit.models("open"), SAMPLES)) {
    for (const place of layOut(kit, model).image.placed) {
      const path = kindOf(place.path);
      const structs = found.get(path) ?? new Map<Struct | undefined, Placed>();
      found.set(path, structs.set(place.struct, place));
    }
  }
  known.set(kit, found);
  return found;
}

function kindOf(path: string): string {
  return path.replaceAll(/\[[^\]]*\]/g, "[]").replaceAll(/\/\d+/g, "/#");
}

function placedPart(part: Part, structs: StructsByPath, size: number): Placed[] {
  const { path, offset } = part;
  if (!startsInside(offset, part.length, size)) return [];
  const length = Math.min(part.length, size - offset);
  const candidates = [...structs.get(kindOf(path))?.values() ?? []];
  const [row] = part.rows;
  // A header of version 3 starts with the fields of version 2.
  const [found] = row === undefined
    ? []
    : candidates.filter((place) => fits(place, row, { path, length }))
      .toSorted((a, b) => (b.struct?.size ?? 0) - (a.struct?.size ?? 0));
  if (found?.struct === undefined) {
    return [{ path, offset, length, role: found?.role ?? candidates[0]?.role ?? "header" }];
  }
  const { struct, role } = found;
  if (found.count === undefined) return [{ path, offset, length, struct, role }];
  const count = Math.floor(length / struct.size);
  return [{ path, offset, length, struct, count, role }];
}

/** Whether the first row of a part is the first of a structure, or of a table of them. */
function fits(
  { struct, count }: Placed,
  row: AnatomyRow,
  { path, length }: { path: string; length: number },
): boolean {
  if (struct === undefined || struct.size > length) return false;
  if (count !== undefined) return row.bytes.length === struct.size;
  return row.path === `${path}/${struct.fields[0]?.name}`;
}

/** Headers of another size have no checksum that is worth the time. */
const HEADER_MAX = 2 ** 22;

function sealsIn(source: ByteSource): ReturnType<typeof sealsOf> {
  if (source.size < luks2Header.size) return [];
  const size = Number(decode(luks2Header, source.read(0, luks2Header.size)).hdr_size);
  const isUsual = size >= 2 * luks2Header.size && size <= HEADER_MAX && 2 * size <= source.size;
  return isUsual ? sealsOf({ headerSize: size }) : [];
}
