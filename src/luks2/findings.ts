import type { Broken } from "../format/mod.ts";
import { offsetOf } from "../layout/mod.ts";
import type { Place } from "../rules/mod.ts";
import type { HeaderCopy } from "./decode.ts";
import { BINARY_BYTES } from "./geometry.ts";
import { member } from "./json/value.ts";
import type { Luks2Rule } from "./rules.ts";
import { header } from "./structures.ts";

/** A rule that is broken at a place. */
export type Luks2Broken = Broken<Luks2Rule>;

/** Adds a finding. The message is computed only if it is used. */
export type AddFinding = (rule: Luks2Rule, place: Place, message: () => string) => void;

/** The place of a field of a binary header. */
export function inHeader(copy: HeaderCopy, field: keyof typeof header.offsets): Place {
  return { path: `/${copy.name}/${field}`, offset: copy.offset + offsetOf(header, field) };
}

/** The place of a byte of the JSON area of a copy. */
export function inArea(copy: HeaderCopy, at: number, path = ""): Place {
  return { path: `/${copy.name}/json${path}`, offset: copy.offset + BINARY_BYTES + at };
}

/** The place of a value in the JSON of a copy or, if it is missing, of the value around it. */
export function inJson(copy: HeaderCopy, path: string): Place {
  let node = copy.json?.root;
  for (const name of path.split("/").slice(1)) node = member(node, name) ?? node;
  return inArea(copy, node?.start ?? 0, path);
}

/** A rule that is broken at a path in the JSON of a copy. */
export function brokenAt(
  { copy }: { readonly copy: HeaderCopy },
  rule: Luks2Rule,
  path: string,
  message: string,
): Luks2Broken {
  return { rule, place: inJson(copy, path), message };
}

/** A text of the header in readable form, truncated if it is long. */
export function shown(value: string | undefined): string {
  if (value === undefined) return "none";
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
