import type { Expectation } from "../../src/expect/mod.ts";
import {
  CHANGE_OPERATIONS,
  type ChangeOperation,
  type DigestScope,
  type FailureKind,
  type Operation,
} from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";

/** A question about a case. */
export interface PeerQuestion {
  /** The question in words: `digest of snapshot 1`. */
  readonly name: string;
  readonly operation: Operation;
  readonly scope?: DigestScope;
  /** The passphrase that `unlock` tries. */
  readonly passphrase?: string;
}

/** What is known of a failure of an implementation, as plain data. */
export interface PeerFacts {
  readonly kind: FailureKind;
  /** Name of the implementation. */
  readonly peer: string;
  readonly version: string;
  /** As it was named on the command line: `jsonl:./adapter`. */
  readonly adapter: string;
  /** What it was queried for, or the change of a sequence that failed. */
  readonly operation: Operation | ChangeOperation;
  /** The question in words. */
  readonly question: string;
  /** The part of the content that it is about. */
  readonly scope?: DigestScope;
  readonly expectation: Expectation;
  /** What the answer should say, where it differs. */
  readonly expected: string;
  readonly answered: string;
  /** The passphrases that it was given. */
  readonly passphrases: readonly string[];
  /** The features of the image. */
  readonly features: readonly string[];
  /** The rules that the image breaks. */
  readonly rules: readonly RuleId[];
}

/** Facts of a failure to answer a question, and not to change an image. */
export type QuestionFacts = PeerFacts & { readonly operation: Operation };

/** Whether a failure is about an answer. */
export function isAboutAnswer(facts: PeerFacts): facts is QuestionFacts {
  return !CHANGE_OPERATIONS.some((operation) => operation === facts.operation);
}
