import {
  type DigestReport,
  openSubject,
  type Operation,
  ReferencePeer,
  type Subject,
  type UnlockReport,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  hasSpoken,
  type ImageRecord,
  type Question,
  questionsOf,
  type ReferenceVerdict,
  subjectOf,
  unpackRecord,
} from "../../src/recorded/mod.ts";
import type { Finding } from "../../src/rules/mod.ts";

/** Facts about an image besides the answers of tools. */
export interface Known {
  readonly images: string;
  /** The guest content, from the builder of the image. */
  readonly content?: { readonly sha256: string; readonly length: number };
  /** Questions that the tools may have no answer to. */
  readonly queries?: readonly string[];
  /** Whether the expected verdict is `rejected` whenever the reference rejects a question. */
  isStrict?(question: string): boolean;
}

type Verdicts = { [question: string]: ReferenceVerdict };

/**
 * Adds the verdict of the reference on the questions without a usable answer of a tool. If the
 * reference rejects the image because of a behaviour or limit of a tool, not of the format, either
 * verdict is expected.
 */
export async function withReference(record: ImageRecord, known: Known): Promise<ImageRecord> {
  const { reference: _, ...rest } = record;
  const queries: Verdicts = {};
  for (const name of known.queries ?? []) queries[name] = { verdict: "either" };
  const questions = questionsOf({ ...rest, reference: queries });
  const reference: Verdicts = {};
  for (const question of questions.filter((it) => !isAnswered(it))) {
    const verdict = await withScratch((directory) => {
      unpackRecord(known.images, rest, directory);
      return verdictOn(question, { subject: subjectOf(rest, directory), known });
    });
    if (verdict !== undefined) reference[question.name] = verdict;
  }
  return Object.keys(reference).length === 0 ? rest : { ...rest, reference };
}

function isAnswered({ recorded }: Question): boolean {
  return recorded.some(({ outcome, fault }) => fault === undefined && hasSpoken(outcome));
}

async function verdictOn(
  question: Question,
  { subject, known }: { subject: Subject; known: Known },
): Promise<ReferenceVerdict | undefined> {
  const { name } = question;
  const { content } = known;
  const { outcome } = await question.pose(new ReferencePeer(), subject);
  const ofContent = name === "digest" && content !== undefined ? { content } : {};
  if (outcome.outcome === "accepted") {
    return { verdict: "accepted", ...membersOf(question.operation, outcome.value), ...ofContent };
  }
  if (outcome.outcome !== "rejected") return undefined;
  const refusal = refusalOf(name, subject);
  if (refusal === undefined || refusal.class === "spec" || known.isStrict?.(name) === true) {
    return { verdict: "rejected", ...(refusal === undefined ? {} : { rule: refusal.rule }) };
  }
  return { verdict: "either", rule: refusal.rule, ...ofContent };
}

/** The members of a verdict for an accepted answer. */
function membersOf(operation: Operation, value: unknown): Partial<ReferenceVerdict> {
  if (operation === "digest") return { content: value as DigestReport };
  return operation === "unlock" ? value as UnlockReport : {};
}

/** The finding that makes the reference reject a question about an image. */
export function refusalOf(question: string, subject: Subject): Finding | undefined {
  const alone = question === "probe" || question === "info";
  const image = openSubject(subject, { alone });
  try {
    return image.findings.refusal(alone ? "info" : question === "check" ? "check" : "read");
  } finally {
    image.close();
  }
}
