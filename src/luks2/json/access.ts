import { SECTOR } from "../../bytes/mod.ts";
import { UINT64_END } from "../geometry.ts";
import type { JsonNode } from "./value.ts";

/** Takes values of JSON as cryptsetup takes them. Total: what is of another type is not there. */

const INT32_MAX = 2n ** 31n - 1n;
const INT32_MIN = -(2n ** 31n);
const UINT32_MAX = 2n ** 32n - 1n;

/** A member of an object. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === "object" ? node.members.get(name) : undefined;
}

/** The members of an object, in order. */
export function members(node: JsonNode | undefined): [string, JsonNode][] {
  return node?.kind === "object" ? [...node.members] : [];
}

/** A string; `undefined` for what is none. */
export function text(node: JsonNode | undefined): string | undefined {
  return node?.kind === "string" ? node.text : undefined;
}

/** An integer; `undefined` for what is none. */
export function integer(node: JsonNode | undefined): bigint | undefined {
  return node?.kind === "int" ? node.value : undefined;
}

/** An integer from 0 to 2^32 - 1. */
export function uint32(node: JsonNode | undefined): number | undefined {
  const value = integer(node);
  return value !== undefined && value >= 0n && value <= UINT32_MAX ? Number(value) : undefined;
}

/** The nearest integer of 32 bits with a sign: what cryptsetup reads costs as. */
export function int32(node: JsonNode | undefined): number | undefined {
  const value = integer(node);
  if (value === undefined) return undefined;
  return Number(value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : value);
}

/** The strings of an array; `undefined` where it is none, or has something else in it. */
export function texts(node: JsonNode | undefined): string[] | undefined {
  if (node?.kind !== "array") return undefined;
  const strings = node.items.map(text);
  return strings.every((item) => item !== undefined) ? strings : undefined;
}

/** Whether a text is digits alone. */
export function isDecimal(digits: string): boolean {
  return /^[0-9]+$/.test(digits);
}

/** A string-uint64: digits alone, below 2^64. */
export function uint64(node: JsonNode | undefined): bigint | undefined {
  const digits = text(node);
  return digits !== undefined && isDecimal(digits) ? below64(digits) : undefined;
}

/** A number as C's strtoull takes it, with white space and a sign before its digits. */
export function looseUint64(node: JsonNode | undefined): bigint | undefined {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([-+]?)([0-9]+)$/.exec(text(node) ?? "") ?? [];
  const value = digits === undefined ? undefined : below64(digits);
  return value !== undefined && sign === "-" ? BigInt.asUintN(64, -value) : value;
}

function below64(digits: string): bigint | undefined {
  if (!/^[0-9]*$/.test(digits)) return undefined;
  const significant = digits.replace(/^0+/, "");
  // More digits than 2^64 has.
  if (significant.length > 20) return undefined;
  const value = BigInt(significant || "0");
  return value < UINT64_END ? value : undefined;
}

/** Whether a number is whole sectors of 512 bytes. */
export function inSectors(value: bigint): boolean {
  return value % BigInt(SECTOR) === 0n;
}

/** The number that a name of a key slot, digest or segment stands for: its low 32 bits. */
export function numberOf(name: string): number {
  return Number(BigInt.asUintN(32, below64(name) ?? UINT64_END - 1n));
}

/**
 * Bytes in base64 (RFC 4648, 4), with white space between them; `undefined` where it is none, or has
 * bits behind the last byte.
 */
export function base64(node: JsonNode | undefined): Uint8Array | undefined {
  if (node?.kind !== "string") return undefined;
  // cryptsetup finds the NUL byte among what is white space.
  const stored = node.whole.replace(/[ \t\n\r\0]/g, "");
  if (stored.length % 4 !== 0) return undefined;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(stored)) return undefined;
  try {
    return Uint8Array.fromBase64(stored, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
