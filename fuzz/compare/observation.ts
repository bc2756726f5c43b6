import type { OpenedImage } from "../../src/image/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { About, NamedAnswer } from "../engine/mod.ts";

/** One difference between the reference and a tool. */
export interface Observation {
  /** The tool that answered. */
  readonly tool: "qemu-img" | "cryptsetup" | "luksdeinfo";
  /** Version of the tool that answered. */
  readonly version: string;
  /** What the tool was queried for. */
  readonly question: "open" | "info" | "map" | "check" | "content" | "allocation" | "unlock";
  /** The outcome of the tool. */
  readonly outcome: string;
  /** The tool's message if it gave no answer. */
  readonly said?: string;
  /** The part of the answer that differs if both answered: `/slots/3/active`. */
  readonly path?: string;
  /** The rule for which the reference rejects the image, if it does. */
  readonly ours?: RuleId;
  /** The kind of cluster whose content differs: `compressed.qcow2.top`. */
  readonly cluster?: string;
  /** All rules that the image breaks. */
  readonly rules: readonly RuleId[];
  /** Whether the image was edited after it was built. */
  readonly edited: boolean;
  /** The image, where it opens. */
  readonly image?: OpenedImage;
}

/** An explained difference: which side is right, with a citation. */
export interface Divergence {
  /** Name of the divergence. */
  readonly name: string;
  /** The rule that it concerns. */
  readonly rule: RuleId;
  /** Why the two differ, with a citation. */
  readonly because: string;
  /** Whether a difference is an instance of this divergence. */
  explains(observed: Observation): boolean;
}

/** A difference, which a divergence may explain. */
export interface Seen {
  /** What differs. */
  readonly observation: Observation;
  /** The difference in words. */
  readonly message: string;
  /** The answers of both sides. */
  readonly answers: readonly NamedAnswer[];
  /** The part of the image that differs. */
  readonly about: About;
}

/** The differences found, or why some comparisons were skipped. */
export interface Compared {
  /** The differences. */
  readonly seen: readonly Seen[];
  /** Why nothing was compared. */
  readonly skipped?: string;
}

/** Number of words of a message that are kept. */
const WORDS_MAX = 12;

/**
 * Names the one thing that differs: the question, both outcomes, and what identifies the cause. If the
 * reference rejects the image, that is the rule; if both sides answer, the part of the answer or the
 * kind of cluster that differs; otherwise the tool's message. For a malformed answer it is what is
 * wrong with the answer, whatever the reference says.
 */
export function signatureOf(observed: Observation): string {
  const { tool, question, outcome, path, ours, cluster, said } = observed;
  const words = said === undefined ? undefined : wordsOf(said);
  const part = path === undefined ? undefined : anyIndex(path);
  const difference = outcome === "malformed-answer" ? words : ours ?? cluster ?? part ?? words;
  return [tool, question, outcome, ...(difference === undefined ? [] : [difference])].join(".");
}

/** A path with `*` for the numbers of items: the same cause can affect any item. */
export function anyIndex(path: string): string {
  return path.replaceAll(/\/\d+(?=\/|$)/g, "/*").replace(/^\//, "");
}

/** A message without the parts that vary between cases: names, numbers and places. */
export function wordsOf(said: string): string {
  const plain = said.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, " ").replaceAll(/\S*\/\S*/g, " ")
    .replaceAll(/\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b/gi, " ");
  const words = plain.match(/[A-Za-z_]{2,}/g) ?? [];
  return words.slice(0, WORDS_MAX).join("-").toLowerCase();
}
