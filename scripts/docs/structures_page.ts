import { formats } from "../../src/formats.ts";
import {
  type Bound,
  type Constraint,
  type Field,
  rulesOf,
  type Struct,
} from "../../src/layout/mod.ts";
import { jsonSection } from "./json_section.ts";
import { ruleLinks, table } from "./markdown.ts";

const HEAD = `# Structures

Every on-disk structure as diskproof describes it. Offsets and widths are in bytes. This page is
generated from the descriptions by \`deno task docs\`: do not edit it. A constraint links the rule that
an image breaks when it does not satisfy it.
`;

/** The text of \`docs/structures.md\`. */
export function structuresPage(): string {
  const sections = formats.filter(({ structures }) => structures.length > 0)
    .map(({ title, structures }) => `## ${title}\n\n${structures.map(structText).join("\n\n")}\n`);
  return [HEAD, ...sections, `${jsonSection()}\n`].join("\n");
}

function structText(struct: Struct): string {
  const rows = struct.fields.map((field) => [
    String((struct.offsets as Record<string, number>)[field.name]),
    String(field.width),
    `\`${field.name}\``,
    meaning(field),
    (field.constraints ?? []).map(constraintText).join("; "),
  ]);
  const order = struct.byteOrder === "little" ? "little-endian" : "big-endian";
  return [
    `### \`${struct.name}\``,
    `${struct.size} bytes, ${order}. Section: ${struct.section}.`,
    table(["offset", "width", "field", "meaning", "constraints"], rows),
  ].join("\n\n");
}

function meaning(field: Field): string {
  const unit = field.unit === undefined ? "" : ` In ${field.unit}.`;
  const to = field.pointsTo === undefined ? "" : ` Leads to \`${field.pointsTo}\`.`;
  const values = Object.entries(field.values ?? {})
    .map(([name, value]) => `${numberText(value)} ${name}`);
  const bits = (field.bits ?? []).map(({ name, from, to: last }) =>
    `${from === last ? `bit ${from}` : `bits ${from}-${last}`} ${name}`
  );
  const named = [...values, ...bits];
  return `${field.doc}${unit}${to}${named.length === 0 ? "" : ` ${named.join(", ")}.`}`;
}

function constraintText(constraint: Constraint): string {
  const when = constraint.when === undefined ? "" : ` ${constraint.when}`;
  return `${requirementText(constraint)}${when} (${ruleLinks(rulesOf(constraint), "rules.md")})`;
}

function requirementText(constraint: Constraint): string {
  const each = "each" in constraint && constraint.each !== undefined
    ? ` (each counts ${boundText(constraint.each)} bytes)`
    : "";
  if ("min" in constraint) return `at least ${boundText(constraint.min)}${each}`;
  if ("max" in constraint) return `at most ${boundText(constraint.max)}${each}`;
  if ("multipleOf" in constraint) return `a multiple of ${boundText(constraint.multipleOf)}${each}`;
  if ("oneOf" in constraint) {
    return constraint.oneOf === "values"
      ? "one of the named values"
      : `one of ${constraint.oneOf.join(", ")}`;
  }
  if ("clear" in constraint) {
    return constraint.clear === "reserved"
      ? "reserved bits are 0"
      : `the bits ${constraint.clear.join(", ")} are 0`;
  }
  if ("zero" in constraint) return "zero";
  if ("endsBy" in constraint) {
    return `the ${constraint.region} ends at or below ${boundText(constraint.endsBy)}`;
  }
  if ("longest" in constraint) {
    return `the ${constraint.region} is at most ${boundText(constraint.longest)} bytes`;
  }
  if ("equals" in constraint) {
    return `the bytes ${Array.from(constraint.equals, (byte) => numberText(byte)).join(" ")}`;
  }
  return "ends with a NUL byte";
}

function boundText(bound: Bound): string {
  return typeof bound === "string" ? `the ${bound}` : numberText(bound);
}

function numberText(value: number | bigint): string {
  return value > 0xffff ? `0x${value.toString(16)}` : String(value);
}
