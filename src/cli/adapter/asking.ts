import { utf8 } from "../../bytes/mod.ts";
import {
  type Expectation,
  expectationOf,
  expectedUnlock,
  featuresOf,
  isListedFeature,
} from "../../expect/mod.ts";
import { openImage } from "../../image/mod.ts";
import {
  type Answers,
  checkClaims,
  type Difference,
  digestClaims,
  type DigestScope,
  infoClaims,
  mapClaims,
  type Misconduct,
  misconductOf,
  type Operation,
  type Outcome,
  type Peer,
  type PeerDescription,
  ReferencePeer,
  type Subject,
} from "../../peers/mod.ts";
import type { ExampleImage } from "./images.ts";

/** A question about an example, and what came of it. */
export interface Asked {
  readonly image: ExampleImage;
  readonly operation: Operation;
  /** `digest of snapshot before`. */
  readonly question: string;
  readonly outcome: Outcome<unknown>;
  readonly expectation: Expectation;
  readonly misconduct?: Misconduct;
}

const USUAL: readonly Operation[] = ["probe", "info", "map", "check", "digest"];

interface Question {
  readonly operation: Operation;
  readonly scope?: DigestScope;
}

/** Asks about an example whose files are in a directory, as far as the adapter's description goes. */
export async function askAbout(
  image: ExampleImage,
  { peer, self, directory }: { peer: Peer; self: PeerDescription; directory: string },
): Promise<Asked[]> {
  const subject: Subject = { ...image.subject, directory };
  const { format, features, expected } = expectedOf(subject);
  if (!self.formats.includes(format) || isLocked(subject, self)) return [];
  const usual = (image.only ?? USUAL).map((operation): Question => ({ operation }));
  const questions = [...usual, ...image.more ?? []]
    .filter(({ operation }) => self.operations.includes(operation));
  const reference = new ReferencePeer();
  const asked: Asked[] = [];
  for (const question of questions) {
    const { operation, scope } = question;
    const outcome = await ask(peer, subject, question);
    const right = await ask(reference, subject, question);
    const expectation = expected(question);
    const required = outcome.outcome === "unsupported" && outcome.feature !== undefined
      ? [outcome.feature, ...features]
      : features;
    const listed = self.features;
    const misconduct = misconductOf({
      operation,
      outcome,
      expectation,
      lacking: listed === undefined ? [] : required.filter((it) => !isListedFeature(it, listed)),
      listsFeatures: listed !== undefined && scope === undefined,
      differences: () => differencesOf(operation, right, outcome),
    });
    asked.push({
      ...{ image, operation, question: nameOf(question), outcome, expectation },
      ...(misconduct === undefined ? {} : { misconduct }),
    });
  }
  return asked;
}

function isLocked({ passphrases }: Subject, { takes = [] }: PeerDescription): boolean {
  return passphrases !== undefined && !takes.includes("passphrases");
}

function nameOf({ operation, scope = {} }: Question): string {
  const { snapshot, range } = scope;
  if (snapshot !== undefined) return `${operation} of snapshot ${snapshot}`;
  return range === undefined
    ? operation
    : `${operation} of ${range.length} bytes at ${range.start}`;
}

async function ask(
  peer: Peer,
  subject: Subject,
  { operation, scope }: Question,
): Promise<Outcome<unknown>> {
  const outcome = await peer[operation]?.(subject, scope);
  return outcome ?? { outcome: "unsupported", message: "" };
}

/** The format of an image, what it requires, and what is expected of each answer. */
function expectedOf(subject: Subject): {
  format: string;
  features: readonly string[];
  expected: (question: Question) => Expectation;
} {
  const { path, directory = ".", format, passphrases = [] } = subject;
  const image = openImage(path, {
    directory,
    passphrases: passphrases.map(utf8),
    ...(format === undefined ? {} : { format }),
  });
  try {
    const expected = expectationOf(image);
    const known = (["probe", "info", "map", "check", "digest"] as const)
      .map((use) => [use, expected({ use })] as const);
    const byOperation = new Map<Operation, Expectation>([
      ...known,
      ["unlock", expectedUnlock(image, true)],
    ]);
    return {
      format: image.format,
      features: featuresOf(image),
      expected: ({ operation }) => byOperation.get(operation) ?? { verdict: "either" },
    };
  } finally {
    image.close();
  }
}

/** How the claims in an answer are compared. */
const CLAIMS: { readonly [O in keyof Answers]: (l: Answers[O], r: Answers[O]) => Difference[] } = {
  probe: ({ format: left }, { format: right }) =>
    left === right ? [] : [{ path: "/format", left, right }],
  info: infoClaims,
  map: mapClaims,
  check: checkClaims,
  digest: digestClaims,
  unlock: ({ slot: left }, { slot: right }) =>
    right === undefined || left === right ? [] : [{ path: "/slot", left, right }],
};

function differencesOf<O extends keyof Answers>(
  operation: O,
  right: Outcome<unknown>,
  outcome: Outcome<unknown>,
): Difference[] {
  if (right.outcome !== "accepted" || outcome.outcome !== "accepted") return [];
  return CLAIMS[operation](right.value as Answers[O], outcome.value as Answers[O]);
}
