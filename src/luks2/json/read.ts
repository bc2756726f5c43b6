import {
  base64,
  looseUint64,
  nearestInt,
  nearestLow32,
  numberOf,
  text,
  texts,
  uint32,
  uint64,
} from "./scalars.ts";
import { allMembers, type IntegerMember, type Member, type ObjectMember } from "./schema.ts";
import { type JsonNode, member, members } from "./value.ts";

/** The type that a member is read as. */
export type ReadOf<M> = M extends { sort: "text" } ? string
  : M extends { sort: "digits"; word: string } ? bigint | undefined
  : M extends { sort: "digits" } ? bigint
  : M extends { sort: "integer" } ? number
  : M extends { sort: "names" | "references" } ? readonly string[]
  : M extends { sort: "base64" } ? Uint8Array | undefined
  : M extends { sort: "map"; entry: infer E } ? readonly Entry<E>[]
  : M extends { optional: true } ? ReadObject<M> | undefined
  : ReadObject<M>;

/** An object as it is read: its members, and those of all its variants. */
type ReadObject<M> =
  & (M extends { members: infer Own } ? ReadMembers<Own> : unknown)
  & (M extends { variants: infer V } ? Intersection<ReadVariant<V[keyof V]>> : unknown);
type ReadMembers<Own> = { readonly [Name in keyof Own]: ReadOf<Own[Name]> };
type ReadVariant<V> = V extends { members: infer Own } ? ReadMembers<Own> : never;
type Intersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends
  (part: infer All) => void ? All
  : never;

/** An entry of a map as it is read. */
type Entry<E> = ReadObject<E> & Named;

/** The parts of an entry of a map besides its members. */
export interface Named {
  readonly name: string;
  /** The number in the name. */
  readonly number: number;
  readonly node: JsonNode;
}

/** Reads a value according to its description. Total: absent or invalid members are empty or 0. */
export function read<const M extends Member>(shape: M, node: JsonNode | undefined): ReadOf<M> {
  return readAny(shape, node) as ReadOf<M>;
}

function readAny(shape: Member, node: JsonNode | undefined): unknown {
  switch (shape.sort) {
    case "text":
      return text(node) ?? "";
    case "digits": {
      const value = shape.lenient ? looseUint64(node) : uint64(node);
      return value ?? (shape.word === undefined ? 0n : undefined);
    }
    case "integer":
      return node === undefined ? shape.absent ?? 0 : INTEGERS[shape.as](node) ?? 0;
    case "names":
    case "references":
      return texts(node) ?? [];
    case "base64":
      return base64(node);
    case "map":
      return members(node).map(([name, value]) => {
        return Object.assign(readObject(shape.entry, value), {
          name,
          number: numberOf(name),
          node: value,
        });
      });
    case "object":
      return shape.optional && node === undefined ? undefined : readObject(shape, node);
  }
}

const INTEGERS: Readonly<Record<IntegerMember["as"], (node: JsonNode) => number | undefined>> = {
  uint32,
  low32: nearestLow32,
  int: nearestInt,
};

function readObject(shape: ObjectMember, node: JsonNode | undefined): Record<string, unknown> {
  const members = allMembers(shape);
  const values: Record<string, unknown> = {};
  for (const name in members) values[name] = readAny(members[name] as Member, member(node, name));
  return values;
}
