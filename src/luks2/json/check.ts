import { shown } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { integer, isDecimal, looseUint64, text, texts, uint64 } from "./scalars.ts";
import type { DigitsMember, Member, Requirement } from "./schema.ts";
import type { JsonNode } from "./value.ts";

/** Numbers that the rest of the header determines, by their names in constraints. */
export type Context = Readonly<Record<string, bigint>>;

/** A problem with a value. */
export interface Fault {
  /** `undefined` if it is the rule of the object around the value. */
  readonly rule: Luks2Rule | undefined;
  /** The message after the name of the value. */
  readonly says: string;
}

/** Why a value does not have the type of a member; `undefined` if it does. */
export function sortFault(member: Member, node: JsonNode | undefined): string | undefined {
  if (node === undefined) return member.optional ? undefined : "is missing";
  switch (member.sort) {
    case "text":
    case "digits":
    case "base64":
      if (node.kind !== "string") return "is not a string";
      return node.text === "" ? "is empty" : undefined;
    case "integer":
      return node.kind === "int" ? undefined : "is not an integer";
    case "names":
      return texts(node) === undefined ? "is not an array of strings" : undefined;
    case "references":
      return node.kind === "array" ? undefined : "is not an array";
    case "object":
    case "map":
      return node.kind === "object" ? undefined : "is not an object";
  }
}

/** The problems with a value of the correct type: at most one for each rule. */
export function valueFaults(member: Member, node: JsonNode, context: Context): Fault[] {
  const stored = text(node) ?? "";
  const value = member.sort === "digits" ? numberIn(member, node) : integer(node) ?? stored;
  if (value === undefined) return numberFaults(member as DigitsMember, stored);
  const faults: Fault[] = [];
  for (const { rule, ...requirement } of member.constraints ?? []) {
    const not = violation(requirement, value, { stored, context });
    if (not === undefined || faults.some((fault) => fault.rule === rule)) continue;
    const is = typeof value === "string" || "digitsAlone" in requirement ? shown(stored) : value;
    faults.push({ rule, says: `is ${is}, ${not}` });
  }
  return faults;
}

function numberIn({ lenient }: DigitsMember, node: JsonNode): bigint | undefined {
  return lenient ? looseUint64(node) : uint64(node);
}

function numberFaults({ word, rule, malformed = rule }: DigitsMember, stored: string): Fault[] {
  if (stored === word) return [];
  const not = word === undefined ? "not" : `neither ${word} nor`;
  return [{ rule: malformed, says: `is ${shown(stored)}, ${not} a decimal number below 2^64` }];
}

/** How a value breaks a requirement; `undefined` if it does not. */
function violation(
  requirement: Requirement,
  value: bigint | string,
  { stored, context }: { stored: string; context: Context },
): string | undefined {
  if ("oneOf" in requirement) {
    const allowed = requirement.oneOf.map(String);
    return allowed.includes(String(value)) ? undefined : `not ${listText(allowed)}`;
  }
  if ("digitsAlone" in requirement) {
    return isDecimal(stored) ? undefined : "which does not contain only digits";
  }
  const number = BigInt(value);
  if ("min" in requirement) {
    return number < requirement.min ? `less than ${requirement.min}` : undefined;
  }
  if ("max" in requirement) {
    return number > requirement.max ? `more than ${requirement.max}` : undefined;
  }
  if ("multipleOf" in requirement) {
    const { multipleOf } = requirement;
    return number % BigInt(multipleOf) === 0n ? undefined : `not a multiple of ${multipleOf}`;
  }
  if ("powerOfTwo" in requirement) {
    return (number & (number - 1n)) === 0n ? undefined : "not a power of two";
  }
  const wanted = context[requirement.equals];
  return number === wanted ? undefined : `not ${wanted}, the ${requirement.equals}`;
}

/** `a, b or c`. */
function listText(items: readonly string[]): string {
  const [last = ""] = items.slice(-1);
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} or ${last}`;
}
