import { namedCases, rulesWithoutCase, showsOf, singleImages } from "../../corpus/cases/mod.ts";
import { blockRules } from "../../src/format/mod.ts";
import { formats } from "../../src/formats.ts";
import type { Rule } from "../../src/rules/mod.ts";
import { anchor, table } from "./markdown.ts";

const HEAD = `# Rules

Every sentence that an image can break, in the order in which an image is judged. This page is
generated from the catalogue and the cases by \`deno task docs\`: do not edit it.

**Class** says who demands it: \`spec\` the published format (of qcow version 1, which has none, its
layout), \`limit\` an implementation limit of qemu-img or cryptsetup, \`qemu\` behaviour of the tool that
the format neither demands nor forbids. **Level** is that of RFC 2119; only a broken \`must\` counts for
a verdict. **Effect** is what the tool does with an image that breaks the rule. The images of a case are
\`corpus/images/CASE-breaks\` and \`CASE-keeps\`; their models and edits are in \`corpus/cases\`.
`;

/** The text of \`docs/rules.md\`. */
export function rulesPage(): string {
  const sections = [
    { title: "All formats", rules: blockRules },
    ...formats.map(({ title, rules }) => ({ title, rules })),
  ].filter(({ rules }) => rules.length > 0);
  const total = sections.reduce((sum, { rules }) => sum + rules.length, 0);
  const contents = sections.map(({ title, rules }) => `- ${title}: ${rules.length} rules`);
  return [
    HEAD,
    `${total} rules:\n\n${contents.join("\n")}\n`,
    ...sections.map(({ title, rules }) => `## ${title}\n\n${rules.map(ruleText).join("\n\n")}\n`),
  ].join("\n");
}

const casesByRule = Map.groupBy(namedCases(), ({ of }) => of.rule);

function ruleText(rule: Rule): string {
  const opens = rule.opens === undefined ? "" : ` (${rule.opens.join(", ")})`;
  const about = [
    `class \`${rule.class}\``,
    `level \`${rule.level}\``,
    `effect \`${rule.effect}\`${opens}`,
    `section: ${rule.section}`,
  ];
  return [
    `### ${anchor(rule.id)}\`${rule.id}\``,
    rule.says,
    `${about.join(" · ")}`,
    casesText(rule.id),
  ].join("\n\n");
}

function casesText(rule: string): string {
  const cases = casesByRule.get(rule) ?? [];
  const single = singleImages.filter((image) => image.rule === rule && image.does === "breaks");
  if (cases.length + single.length === 0) {
    return `No case: ${rulesWithoutCase[rule] ?? "none is recorded"}.`;
  }
  return table(
    ["case", "the image that breaks it"],
    [
      ...cases.map(({ name, of }) => [`\`${name}\``, showsOf(of)]),
      ...single.map(({ name, shows }) => [`\`${name.replace("-breaks", "")}\``, shows]),
    ],
  );
}
