import { describedMembers, type Member } from "../../src/luks2/mod.ts";
import { ruleLinks, table } from "./markdown.ts";

const SORTS: Readonly<Record<string, string>> = {
  text: "string",
  digits: "string of digits",
  integer: "integer",
  names: "array of strings",
  references: "array of names",
  base64: "base64",
  object: "object",
  map: "object by number",
};

/** The part of the page of structures about the JSON of LUKS version 2. */
export function jsonSection(): string {
  const rows = describedMembers().map(({ path, type, member }) => [
    `\`${path}\``,
    type === undefined ? "" : `\`${type}\``,
    `${SORTS[member.sort] ?? member.sort}${member.optional ? ", optional" : ""}`,
    member.doc,
    ruleLinks(rulesOf(member), "rules.md"),
  ]);
  return [
    "### JSON of LUKS version 2",
    "Section: LUKS2 On-Disk Format, 3 LUKS2 JSON Metadata Format. `*` is the number of an entry. " +
    "Members that are not described are ignored.",
    table(["member", "type", "value", "meaning", "rules"], rows),
  ].join("\n\n");
}

function rulesOf(member: Member): string[] {
  const constraints = member.constraints ?? [];
  const rules = [member.rule, ...constraints.map(({ rule }) => rule)];
  return [...new Set(rules.filter((rule) => rule !== undefined))];
}
