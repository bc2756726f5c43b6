import type { OpenedImage } from "../../src/image/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { About, NamedAnswer } from "../engine/target.ts";

/** One difference between the reference and a tool. */
export interface Observation {
  /** The tool that answered. */
  readonly tool: "qemu-img" | "cryptsetup" | "luksdeinfo";
  /** Version of the tool that answered. */
  readonly version: string;
  /** What the tool was queried for. */
  readonly question: "open" | "info" | "map" | "check" | "content" | "allocation" | "unlock";
  /** How the tool's answer came out. */
  readonly outcome: string;
  /** What the tool said, where it gave no answer. */
  readonly said?: string;
  /** What it is about in the answer, where both gave one: `/slots/3/active`. */
  readonly path?: string;
  /** The rule for which the reference rejects, where it does. */
  readonly ours?: RuleId;
  /** What kind of cluster the content differs in: `compressed.qcow2.top`. */
  readonly cluster?: string;
  /** All rules that the image breaks. */
  readonly rules: readonly RuleId[];
  /** Something was done to the image after it was built. */
  readonly edited: boolean;
  /** The image, where it opens. */
  readonly image?: OpenedImage;
}

/** A difference that is understood: which of the two is right, and where that can be read. */
export interface Divergence {
  /** Name of the divergence. */
  readonly name: string;
  /** Rule of the catalogue that it is about. */
  readonly rule: RuleId;
  /** Why the two differ, and where that can be read. */
  readonly because: string;
  /** Whether a difference is an instance of this divergence. */
  explains(observed: Observation): boolean;
}

/** A difference, for a divergence to explain or a person to read. */
export interface Seen {
  /** What differs. */
  readonly observation: Observation;
  /** The difference in words. */
  readonly message: string;
  /** What both sides say. */
  readonly answers: readonly NamedAnswer[];
  /** The part of the image that differs. */
  readonly about: About;
}

/** What was seen, or why less was asked than a case wants. */
export interface Compared {
  /** The differences. */
  readonly seen: readonly Seen[];
  /** Why nothing was compared. */
  readonly skipped?: string;
}

/** Words of a message that are kept of it. */
const WORDS_MAX = 12;

/**
 * Names the one thing that differs: the question, how the answers come out, and what tells one cause
 * from another. Where the reference rejects, that is the rule for which it does; where both sides
 * answer, the part of the answer or the kind of cluster that differs; otherwise what the tool says. Of
 * a malformed answer it is what is wrong with that, whatever the reference says.
 */
export function signatureOf(observed: Observation): string {
  const { tool, question, outcome, path, ours, cluster, said } = observed;
  const words = said === undefined ? undefined : wordsOf(said);
  const part = path === undefined ? undefined : anyIndex(path);
  const difference = outcome === "malformed-answer" ? words : ours ?? cluster ?? part ?? words;
  return [tool, question, outcome, ...(difference === undefined ? [] : [difference])].join(".");
}

/** A path with `*` for the numbers of items: which one it is does not tell one cause from another. */
export function anyIndex(path: string): string {
  return path.replaceAll(/\/\d+(?=\/|$)/g, "/*").replace(/^\//, "");
}

/** A message without what changes from case to case: names, numbers and places. */
export function wordsOf(said: string): string {
  const plain = said.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, " ").replaceAll(/\S*\/\S*/g, " ")
    .replaceAll(/\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b/gi, " ");
  const words = plain.match(/[A-Za-z_]{2,}/g) ?? [];
  return words.slice(0, WORDS_MAX).join("-").toLowerCase();
}
