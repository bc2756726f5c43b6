import { UINT64_END } from "../geometry.ts";
import type { JsonNode } from "./value.ts";

/** Values of JSON as cryptsetup reads them. A value of another type is `undefined`. */

/** A string. */
export function text(node: JsonNode | undefined): string | undefined {
  return node?.kind === "string" ? node.text : undefined;
}

/** An integer. */
export function integer(node: JsonNode | undefined): bigint | undefined {
  return node?.kind === "int" ? node.value : undefined;
}

/** An integer from 0 to 2^32 - 1. */
export function uint32(node: JsonNode | undefined): number | undefined {
  const value = integer(node);
  return value === undefined || value !== BigInt.asUintN(32, value) ? undefined : Number(value);
}

/** The low 32 bits of an integer. */
export function low32(node: JsonNode | undefined): number | undefined {
  const value = integer(node);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value));
}

/** The low 32 bits of any value as an integer of 64 bits, as json_object_get_int64 gives it. */
export function nearestLow32(node: JsonNode): number {
  return Number(BigInt.asUintN(32, nearest(node, 64)));
}

/** Any value as an integer of 32 bits with a sign, as json_object_get_int gives it. */
export function nearestInt(node: JsonNode): number {
  return Number(nearest(node, 32));
}

/** The nearest integer of so many bits with a sign. */
function nearest(node: JsonNode, bits: 32 | 64): bigint {
  const value = wholeOf(node);
  const end = 2n ** BigInt(bits - 1);
  return value >= end ? end - 1n : value < -end ? -end : value;
}

/** Any value as an integer: exact in 64 bits with a sign, and any greater one beyond. */
function wholeOf(node: JsonNode): bigint {
  if (node.kind === "object" || node.kind === "array") return 0n;
  if (node.kind === "int") return node.value;
  if (node.kind !== "string") {
    const limit = 2 ** 63;
    return BigInt(Math.trunc(Math.min(limit, Math.max(-limit, Number(node.value)))) || 0);
  }
  const [, sign, digits = "0"] = /^[ \t\n\v\f\r]*([-+]?)([0-9]+)/.exec(node.text) ?? [];
  const value = below64(digits) ?? UINT64_END;
  return sign === "-" ? -value : value;
}

/** The strings of an array that has nothing else in it. */
export function texts(node: JsonNode | undefined): string[] | undefined {
  if (node?.kind !== "array") return undefined;
  const strings = node.items.map(text);
  return strings.every((item) => item !== undefined) ? strings : undefined;
}

/** Whether a string contains only digits. */
export function isDecimal(digits: string): boolean {
  return /^[0-9]+$/.test(digits);
}

/** A string of digits as a number below 2^64. */
export function uint64(node: JsonNode | undefined): bigint | undefined {
  const digits = text(node) ?? "";
  return isDecimal(digits) ? below64(digits) : undefined;
}

/** A number as C's strtoull reads it, with white space and a sign before its digits. */
export function looseUint64(node: JsonNode | undefined): bigint | undefined {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([-+]?)([0-9]+)$/.exec(text(node) ?? "") ?? [];
  const value = digits === undefined ? undefined : below64(digits);
  return value !== undefined && sign === "-" ? BigInt.asUintN(64, -value) : value;
}

function below64(digits: string): bigint | undefined {
  const significant = digits.replace(/^0+/, "");
  // More digits than 2^64 has.
  if (significant.length > 20) return undefined;
  const value = BigInt(significant || "0");
  return value < UINT64_END ? value : undefined;
}

/** The number in the name of a key slot, digest, segment or token: its low 32 bits. */
export function numberOf(name: string): number {
  const value = /^[0-9]*$/.test(name) ? below64(name) : undefined;
  return Number(BigInt.asUintN(32, value ?? UINT64_END - 1n));
}

/**
 * Bytes in base64 (RFC 4648, 4), which may contain white space; `undefined` if it is invalid or has
 * bits after the last byte.
 */
export function base64(node: JsonNode | undefined): Uint8Array | undefined {
  if (node?.kind !== "string") return undefined;
  // cryptsetup treats the NUL byte as white space.
  const stored = node.whole.replace(/[ \t\n\r\0]/g, "");
  if (stored.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(stored)) return undefined;
  const decoded = atob(stored);
  if (btoa(decoded) !== stored) return undefined;
  return Uint8Array.from(decoded, (byte) => byte.charCodeAt(0));
}
