import type { Unit } from "../../layout/mod.ts";
import type { Luks2Rule } from "../rules.ts";

/**
 * The language in which the JSON of a header is described. A description is plain data: from it the
 * JSON is judged (`judge.ts`), read and written (`values.ts`), and listed and mutated (`members.ts`).
 *
 * A member is judged in two steps: it exists and is of its sort; then its value satisfies its
 * constraints. A finding is about the member where the member or the constraint names a rule. Where
 * neither does, it is about the object around it, under the `fields` rule of that object.
 */

/** What a value has to satisfy. */
export type Requirement =
  | { readonly min: number }
  | { readonly max: number }
  | { readonly multipleOf: number }
  | { readonly powerOfTwo: true }
  /** A number that the rest of the header determines, by its name. */
  | { readonly equals: string }
  /** Digits alone, where white space and a sign are accepted too. */
  | { readonly digitsAlone: true }
  | { readonly oneOf: readonly (string | number)[] };

/** A requirement, and the rule that sets it where that is not the rule of the object. */
export type Constraint = Requirement & { readonly rule?: Luks2Rule };

/** What all members have. */
interface Notes<Sort extends string> {
  readonly sort: Sort;
  /** What the member means, in a sentence. */
  readonly doc: string;
  readonly optional?: true;
  /** The rule that requires the member to exist and to be of its sort. */
  readonly rule?: Luks2Rule;
  readonly constraints?: readonly Constraint[];
}

/** A string that is not empty. */
export interface TextMember extends Notes<"text"> {
  /** Values with a meaning. Others are allowed. */
  readonly known?: readonly string[];
}

/** A number below 2^64 as a string of decimal digits. */
export interface DigitsMember extends Notes<"digits"> {
  readonly unit?: Unit;
  /** The rule that requires the string to be a number, where that is not `rule`. */
  readonly malformed?: Luks2Rule;
  /** White space and a sign before the digits are accepted, as by C's strtoull. */
  readonly lenient?: true;
  /** A word that is accepted in place of a number. */
  readonly word?: string;
}

/** An integer. */
export interface IntegerMember extends Notes<"integer"> {
  /**
   * How cryptsetup reads it: as a `uint32`, whose range it has checked; as the `low32` bits of the
   * nearest integer of 64 bits; or as an `int`, the nearest integer of 32 bits. The last two accept
   * values of every type.
   */
  readonly as: "uint32" | "low32" | "int";
  readonly unit?: Unit;
  /** The value of an absent member, 0 by default. */
  readonly absent?: number;
  /** Large values cost time or memory when a key slot is attempted. */
  readonly cost?: true;
}

/** An array of strings. */
export interface NamesMember extends Notes<"names"> {
  /** Values with a meaning. Others are allowed. */
  readonly known?: readonly string[];
}

/** An array of names of other objects. */
export interface ReferencesMember extends Notes<"references"> {
  /** The map that these objects are in. */
  readonly to: string;
  /** The rule that requires them to exist. */
  readonly dangling: Luks2Rule;
}

/** Bytes in base64. Any string that is not empty is of this sort. */
export interface Base64Member extends Notes<"base64"> {
  /** The number of bytes, where only one is useful. */
  readonly length?: number;
}

/** The members of an object by name. */
export type Members = Readonly<Record<string, Member>>;

/** The additional members of an object with one value of its `type`. */
export interface Variant {
  /** The rule of members without one, where that is not the rule of the object. */
  readonly fields?: Luks2Rule;
  /** A member that the object has anyway may stand here again, with more constraints. */
  readonly members: Members;
  /** The rule that allows no other members. */
  readonly only?: Luks2Rule;
  /** Judged only when a key slot is attempted, if at all. */
  readonly later?: true;
}

/** An object. Members that are not described are ignored, as cryptsetup does. */
export interface ObjectMember extends Notes<"object"> {
  /** The rule of members without one; absent where that is the rule of the object around this one. */
  readonly fields?: Luks2Rule;
  readonly members: Members;
  readonly variants?: Readonly<Record<string, Variant>>;
}

/** An object whose members have numbers as names, and are all alike. */
export interface MapMember extends Notes<"map"> {
  readonly entry: ObjectMember;
  /** What a message calls an entry. */
  readonly called: string;
  /** The rule that requires the names to be numbers. */
  readonly numbered: Luks2Rule;
}

/** Any member. */
export type Member =
  | TextMember
  | DigitsMember
  | IntegerMember
  | NamesMember
  | ReferencesMember
  | Base64Member
  | ObjectMember
  | MapMember;

type NotesOf<S extends Member["sort"]> = Omit<Extract<Member, Notes<S>>, "sort" | "doc">;

/** Describes members of one sort. */
type Describe<S extends Member["sort"]> = <const N extends NotesOf<S> = NotesOf<S>>(
  doc: string,
  notes: N,
) => { readonly sort: S; readonly doc: string } & N;

function describe<const S extends Member["sort"]>(sort: S): Describe<S> {
  return (doc, notes) => ({ ...notes, sort, doc });
}

/** Describes a member of the sort that the name says. */
export const text: Describe<"text"> = describe("text");
export const digits: Describe<"digits"> = describe("digits");
export const integer: Describe<"integer"> = describe("integer");
export const names: Describe<"names"> = describe("names");
export const references: Describe<"references"> = describe("references");
export const base64: Describe<"base64"> = describe("base64");
export const object: Describe<"object"> = describe("object");
export const map: Describe<"map"> = describe("map");

const merged = new WeakMap<ObjectMember, Members>();

/**
 * The members of an object with those of all its variants, to read it and to list what it may have. A
 * member that several of them have is described as in the first one, with the constraints of all.
 */
export function allMembers(object: ObjectMember): Members {
  const known = merged.get(object);
  if (known !== undefined) return known;
  const { members, variants = {} } = object;
  const all = Object.values(variants).reduce((all, variant) => both(all, variant.members), members);
  merged.set(object, all);
  return all;
}

function both(first: Members, second: Members): Members {
  const added = Object.entries(second).map(([name, member]): [string, Member] => {
    const other = Object.hasOwn(first, name) ? first[name] : undefined;
    if (other === undefined) return [name, member];
    if (other.sort === "object" && member.sort === "object") {
      const variants = { ...other.variants, ...member.variants };
      return [name, { ...other, members: both(other.members, member.members), variants }];
    }
    const constraints = [...other.constraints ?? [], ...member.constraints ?? []];
    return [name, { ...other, constraints }];
  });
  return { ...first, ...Object.fromEntries(added) };
}
