import type { Use } from "../format/mod.ts";
import type { OpenedImage } from "../image/mod.ts";
import { formats } from "../formats.ts";
import type { RuleId } from "../rules/mod.ts";

/** Which questions need what the rules for every format are about. */
const BLOCK_USES: Readonly<Record<string, readonly Use[]>> = {
  "blk.probe": [],
  "blk.io": ["map", "digest", "snapshot"],
  "blk.backing": ["map", "digest", "snapshot"],
  "blk.datafile": ["digest", "snapshot"],
};

const EVERY_USE: readonly Use[] = ["info", "map", "digest", "snapshot", "check", "unlock"];

/** Slug prefixes of all formats, with the questions that need the structure. */
let table: Map<string, readonly Use[]> | undefined;

function usesTable(): Map<string, readonly Use[]> {
  if (table !== undefined) return table;
  table = new Map(Object.entries(BLOCK_USES));
  for (const { rules, verdict: { uses = {} } } of formats) {
    const [prefix] = rules[0]?.id.split(".") ?? [];
    for (const [part, questions] of Object.entries(uses)) table.set(`${prefix}.${part}`, questions);
  }
  return table;
}

/** Whether a question needs the structure that a rule is about. */
export function isNeeded(rule: RuleId, use: Use): boolean {
  const uses = usesTable();
  for (let slug = rule; slug.includes("."); slug = slug.slice(0, slug.lastIndexOf("."))) {
    const questions = uses.get(slug);
    if (questions !== undefined) return questions.includes(use);
  }
  return EVERY_USE.includes(use);
}

/** Whether a rule is about a structure of a feature that the image does not have. */
export function isUnused({ definition, header, source }: OpenedImage, rule: RuleId): boolean {
  const { usedWith = {} } = definition.verdict;
  const feature = Object.entries(usedWith).find(([prefix]) => rule.startsWith(prefix))?.[1];
  return feature !== undefined &&
    definition.featuresOf?.(header ?? source).includes(feature) === false;
}

const MISSING: readonly RuleId[] = ["blk.backing.opens", "blk.backing.no-loop"];

/** Whether an image that breaks a rule has content in a file that is missing. */
export function isMissingFile(rule: RuleId): boolean {
  return MISSING.includes(rule) ||
    formats.some(({ verdict }) => verdict.missing?.includes(rule) === true);
}

/** The rules for which tools read a damaged structure in a way that the format does not define. */
export function isLenient(rule: RuleId): boolean {
  return rule === "blk.io.past-eof" ||
    formats.some(({ verdict }) => verdict.lenient?.includes(rule) === true);
}

/** Whether a rule is about the stream of a compressed cluster. */
export function isOfStream(rule: RuleId): boolean {
  return formats.some(({ verdict }) => verdict.streams?.includes(rule) === true);
}
