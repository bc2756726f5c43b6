import type { Bound } from "./constraint.ts";
import type { Field, Unit } from "./field.ts";

const MIB = 2 ** 20;

/** From this on, a number is read more easily in another form. */
const LARGE = 0xffff;

/** A number as a person reads it: an offset, a magic or bits in hexadecimal, all others in decimal. */
export function valueText(field: Field, value: unknown): string {
  const hexadecimal = field.pointsTo !== undefined && field.unit !== "sectors" ||
    field.bits !== undefined ||
    field.values !== undefined && Object.values(field.values).some((known) => known > LARGE);
  const number = value as number | bigint;
  return hexadecimal && number !== 0 && number !== 0n
    ? `0x${number.toString(16)}`
    : number.toString();
}

/** A number with what it counts. */
export function unitText(field: Field, value: unknown): string {
  const text = valueText(field, value);
  if (field.unit === undefined || text.startsWith("0x")) return text;
  return `${text} ${text === "1" ? ONE[field.unit] : field.unit}`;
}

const ONE: Readonly<Record<Unit, string>> = {
  bytes: "byte",
  sectors: "sector",
  clusters: "cluster",
  entries: "entry",
  bits: "bit",
  seconds: "second",
  nanoseconds: "nanosecond",
};

/** A bound with its name, where it has one. */
export function boundText(bound: Bound, value: number | bigint, inBytes: boolean): string {
  const text = powerText(BigInt(value)) ?? (inBytes ? sizeText(value) : value.toString());
  return typeof bound === "string" ? `the ${bound} (${text})` : text;
}

/** A length in bytes. */
export function sizeText(bytes: number | bigint): string {
  const length = Number(bytes);
  if (length > 0 && length % MIB === 0) return `${length / MIB} MiB`;
  return length === 1 ? "1 byte" : `${bytes} bytes`;
}

/** A number that is out of anybody's reach, as a difference of powers of two. */
function powerText(value: bigint): string | undefined {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const bits = BigInt(value.toString(2).length);
  const less = (1n << bits) - value;
  const exponent = less.toString(2).length - 1;
  if (less !== 1n << BigInt(exponent)) return undefined;
  return less === 1n ? `2^${bits} - 1` : `2^${bits} - 2^${exponent}`;
}

/** `a, b or c`. */
export function listText(items: readonly string[]): string {
  const [last = ""] = items.slice(-1);
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} or ${last}`;
}
