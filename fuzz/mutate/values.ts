import { SECTOR } from "../../src/bytes/mod.ts";
import { REQUEST_END_MAX } from "../../src/format/mod.ts";
import { boundariesOf, type Field, isAligned } from "../../src/layout/mod.ts";

/** The input for the interesting values of a field. */
export interface Surroundings {
  /** Length of the file in bytes. */
  readonly fileSize: number;
  readonly clusterSize: number;
  /** The value that the field has. */
  readonly value: bigint;
}

const POWERS = [8n, 16n, 31n, 32n, 53n, 55n, 56n, 62n, 63n];

/**
 * Values that are likely to reveal bugs, derived from the field's description: the bounds of its constraints and
 * their neighbours, its named values and what is next to them, powers of two and their neighbours,
 * the file's end, and places just off an alignment. Simple ones come first.
 */
export function interestingValues(field: Field, around: Surroundings): bigint[] {
  if (field.kind === "bytes") return [];
  const { value } = around;
  const aligned = isAligned(field);
  const found = new Set<bigint>();
  const add = (...values: bigint[]): void => {
    for (const candidate of values) found.add(BigInt.asUintN(8 * field.width, candidate));
  };
  add(0n, 1n, value + 1n, value - 1n);
  add(...boundariesOf(field, { "cluster size": around.clusterSize }));
  for (const named of Object.values(field.values ?? {})) {
    add(BigInt(named), BigInt(named) + 1n, BigInt(named) - 1n);
  }
  for (const bits of field.bits ?? []) {
    add(value ^ (1n << BigInt(bits.from)), value ^ (1n << BigInt(bits.to)));
  }
  if (aligned || field.pointsTo !== undefined) {
    add(...places(inUnitOf(field, around)));
  }
  if (field.unit !== undefined || aligned) add(value * 2n, value / 2n);
  for (const power of POWERS) {
    if (power < BigInt(8 * field.width)) add(1n << power, (1n << power) - 1n, (1n << power) + 1n);
  }
  add(-1n, -2n, -BigInt(around.clusterSize));
  found.delete(value);
  return [...found];
}

/** The surroundings as the field counts. */
function inUnitOf(field: Field, { fileSize, clusterSize, value }: Surroundings): Surroundings {
  if (field.unit !== "sectors") return { fileSize, clusterSize, value };
  const inSectors = (size: number): number => Math.ceil(size / SECTOR);
  return { fileSize: inSectors(fileSize), clusterSize: inSectors(clusterSize), value };
}

/** Offsets around what an offset can mean: the clusters next to it, off by a little, past the end. */
function places({ fileSize, clusterSize, value }: Surroundings): bigint[] {
  const cluster = BigInt(clusterSize);
  const end = BigInt(Math.ceil(fileSize / clusterSize)) * cluster;
  return [
    ...[value + cluster, value - cluster, value + 512n, value + cluster / 2n],
    ...[BigInt(fileSize), end, end - cluster, end + cluster, end - 1n, end * 2n],
    ...[REQUEST_END_MAX - cluster, REQUEST_END_MAX, 1n << 40n],
  ];
}
