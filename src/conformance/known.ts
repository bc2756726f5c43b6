import type { Json } from "../format/mod.ts";
import { isMembers } from "../peers/mod.ts";
import type { KnownFinding, PeerFinding } from "./finding.ts";

/** A file of known findings that cannot be used. */
export class KnownFindingsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "KnownFindingsError";
  }
}

/** The reason of a finding that nobody has examined yet. */
const UNEXAMINED = "not examined yet";

/**
 * Reads a list of known findings: `{"known": [{"slug": …, "reason": …, "link": …}]}`.
 *
 * @throws {KnownFindingsError} for any other text
 */
export function parseKnown(text: string): KnownFinding[] {
  const list = listIn(text);
  const known = list.map((entry, index): KnownFinding => {
    const { slug, reason = UNEXAMINED, link } = isMembers(entry) ? entry : {};
    if (typeof slug !== "string" || slug === "") {
      throw new KnownFindingsError(`known[${index}] has no slug`);
    }
    if (typeof reason !== "string") {
      throw new KnownFindingsError(`the reason of ${slug} is no text`);
    }
    if (link === undefined) return { slug, reason };
    if (typeof link !== "string") throw new KnownFindingsError(`the link of ${slug} is no text`);
    return { slug, reason, link };
  });
  const twice = known.find(({ slug }, index) => known.findIndex((it) => it.slug === slug) < index);
  if (twice !== undefined) throw new KnownFindingsError(`${twice.slug} is listed twice`);
  return known;
}

function listIn(text: string): readonly Json[] {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new KnownFindingsError("it is not JSON");
  }
  const list = isMembers(json) ? json["known"] : undefined;
  if (Array.isArray(list)) return list;
  throw new KnownFindingsError('it has no list "known"');
}

/** The text of a file of known findings, in the order of their slugs. */
export function knownText(known: readonly KnownFinding[]): string {
  const sorted = known.toSorted((a, b) => a.slug < b.slug ? -1 : 1);
  return `${JSON.stringify({ known: sorted }, null, 2)}\n`;
}

/** The known findings and those of a run that are not among them. */
export function withNewFindings(
  known: readonly KnownFinding[],
  findings: readonly PeerFinding[],
): KnownFinding[] {
  const slugs = new Set(known.map(({ slug }) => slug));
  const added = new Set(findings.map(({ slug }) => slug).filter((slug) => !slugs.has(slug)));
  return [...known, ...[...added].map((slug) => ({ slug, reason: UNEXAMINED }))];
}

/** The findings of a run, with what is known of them. */
export interface KnownResult {
  /** All of them; one that is not known fails the run. */
  readonly findings: readonly PeerFinding[];
  /** Known, and not found in this run. */
  readonly notMet: readonly KnownFinding[];
}

/** Says of the findings of a run which ones are known. */
export function withKnown(
  findings: readonly PeerFinding[],
  known: readonly KnownFinding[],
): KnownResult {
  const bySlug = new Map(known.map((it) => [it.slug, it]));
  const met = new Set(findings.map(({ slug }) => slug));
  return {
    findings: findings.map((finding) => {
      const known = bySlug.get(finding.slug);
      return known === undefined ? finding : { ...finding, known };
    }),
    notMet: known.filter(({ slug }) => !met.has(slug)),
  };
}
