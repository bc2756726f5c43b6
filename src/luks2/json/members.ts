import type { Json } from "../../format/mod.ts";
import { metadata } from "./description.ts";
import { allMembers, type Constraint, type Member, type Members } from "./schema.ts";

/** A member in the description of the JSON. */
export interface DescribedMember {
  /** Its path, with `*` for the number of an entry. */
  readonly path: string;
  /** The `type` of the object that has the member; absent if every type has it. */
  readonly type?: string;
  readonly member: Member;
}

/** All described members, each after the object that contains it. */
export function describedMembers(): readonly DescribedMember[] {
  return below(metadata, "");
}

function below(member: Member, path: string): DescribedMember[] {
  if (member.sort === "map") return below(member.entry, `${path}/*`);
  if (member.sort !== "object") return [];
  const listed = (members: Members, type?: string): DescribedMember[] =>
    Object.entries(members).flatMap(([name, inner]) => [
      { path: `${path}/${name}`, ...(type === undefined ? {} : { type }), member: inner },
      ...below(inner, `${path}/${name}`),
    ]);
  const variants = Object.entries(member.variants ?? {});
  return [
    ...listed(member.members),
    ...variants.flatMap(([type, variant]) => listed(variant.members, type)),
  ];
}

/**
 * The description of the value at a path, whatever the `type` of the objects around it; of an item of
 * an array, that of the array. `undefined` where nothing is described.
 */
export function memberAt(path: string): Member | undefined {
  let found: Member | undefined = metadata;
  for (const name of path.split("/").slice(1)) {
    switch (found?.sort) {
      case "map":
        found = found.entry;
        break;
      case "object": {
        const members = allMembers(found);
        found = Object.hasOwn(members, name) ? members[name] : undefined;
        break;
      }
      case "names":
      case "references":
        break;
      default:
        return undefined;
    }
  }
  return found;
}

/**
 * Interesting values for a fuzzer, from the description of a member: those with a meaning, and the
 * bounds of constraints with their neighbours.
 */
export function boundaries(member: Member): readonly Json[] {
  const edges = (member.constraints ?? []).flatMap(edgesOf);
  switch (member.sort) {
    case "text":
      return [...edges, ...member.known ?? []];
    case "integer":
      return edges.flatMap(around);
    case "digits":
      return [
        ...edges.flatMap(around).map(String),
        ...member.word === undefined ? [] : [member.word],
      ];
    case "names":
      return (member.known ?? []).map((name) => [name]);
    case "base64":
      return member.length === undefined
        ? []
        : around(member.length).map((length) => btoa("x".repeat(length)));
    default:
      return [];
  }
}

function edgesOf(constraint: Constraint): readonly (string | number)[] {
  if ("oneOf" in constraint) return constraint.oneOf;
  if ("min" in constraint) return [constraint.min];
  if ("max" in constraint) return [constraint.max];
  return "multipleOf" in constraint ? [constraint.multipleOf] : [];
}

function around(value: string | number): number[] {
  return typeof value === "string" ? [] : [value - 1, value, value + 1];
}
