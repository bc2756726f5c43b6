import type { Judgement, OpenedImage } from "../../src/image/mod.ts";
import {
  compareOutcomes,
  type Difference,
  type Outcome,
  type Subject,
} from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { About, NamedAnswer } from "../engine/mod.ts";
import type { Observation, Seen } from "./observation.ts";

/** An image on the disk, and how the reference judges it. */
export interface Asked {
  /** The image, its passphrases, and the directory in which tools run. */
  readonly subject: Subject & { readonly format: string };
  /** The opened image. */
  readonly image: OpenedImage;
  /** The judgement of the reference. */
  readonly judgement: Judgement;
  /** Whether the image was edited after it was built. */
  readonly edited: boolean;
}

/** The tool and the question. */
export type By = Pick<Observation, "tool" | "version" | "question"> & {
  /** The program that answered, if it is not the tool itself: `qemu-io`. */
  readonly program?: string;
};

/** The answer of the reference. */
export type Ours<T> =
  | { readonly outcome: "accepted"; readonly value: T }
  | { readonly outcome: "rejected"; readonly message: string; readonly rule?: RuleId };

/** Details of a difference. */
export interface SeenDetails {
  readonly outcome: string;
  readonly message: string;
  readonly observed?: Pick<Observation, "said" | "path" | "ours" | "cluster">;
  /** The answers of the reference and of the tool. */
  readonly texts: readonly [ours: string, theirs: string];
  readonly about?: About;
}

/** A difference for one image. */
export function seen(
  { image, judgement, edited }: Asked,
  { program, ...by }: By,
  { outcome, message, observed = {}, texts: [ours, theirs], about = {} }: SeenDetails,
): Seen {
  const rules = [...new Set(judgement.findings.map(({ rule }) => rule))];
  return {
    observation: { ...by, outcome, ...observed, rules, edited, image },
    message: `${by.question}: ${message}`,
    answers: answersOf(by, program ?? by.tool, { ours, theirs }),
    about,
  };
}

function answersOf(
  { version }: Pick<By, "version">,
  program: string,
  { ours, theirs }: { ours: string; theirs: string },
): NamedAnswer[] {
  return [{ by: "reference", text: ours }, { by: `${program} ${version}`, text: theirs }];
}

/** Two outcomes to compare. */
export interface Pair<T> {
  readonly ours: Ours<T>;
  readonly theirs: Outcome<T>;
  readonly compare: (ours: T, theirs: T) => Difference[];
  /** The part of the image that a path in the answers concerns; the path itself by default. */
  readonly about?: (path: string) => About;
}

/** The first difference between two outcomes; all of them with `every`. */
export function differences<T>(
  asked: Asked,
  by: By,
  { ours, theirs, compare, about = (path) => ({ path }) }: Pair<T>,
  { every = false }: { every?: boolean } = {},
): Seen[] {
  const { tool, program = tool } = by;
  if (theirs.outcome === "unsupported") {
    const texts = [outcomeText(ours), outcomeText(theirs)] as const;
    const message = `${program} cannot answer: ${theirs.message}`;
    const observed = { said: theirs.message };
    return [seen(asked, by, { outcome: theirs.outcome, message, observed, texts })];
  }
  const found = compareOutcomes<T>(ours, theirs, { values: compare });
  return (every ? found : found.slice(0, 1)).map(({ path, left, right }) => {
    if (path === "") return verdictSeen(asked, by, { ours, theirs });
    return seen(asked, by, {
      outcome: theirs.outcome,
      message: `at ${path}, the reference says ${JSON.stringify(left)} and ${program} ${
        JSON.stringify(right)
      }`,
      observed: { path },
      texts: [
        partText(path, ours, theirs) ?? JSON.stringify(left),
        partText(path, theirs, ours) ?? JSON.stringify(right),
      ],
      about: about(path),
    });
  });
}

function verdictSeen(
  asked: Asked,
  by: By,
  { ours, theirs }: { ours: Ours<unknown>; theirs: Outcome<unknown> },
): Seen {
  const texts = [outcomeText(ours), outcomeText(theirs)] as const;
  const rule = ours.outcome === "rejected" ? ours.rule : undefined;
  const finding = asked.judgement.findings.find((it) => it.rule === rule);
  return seen(asked, by, {
    outcome: theirs.outcome,
    message: `the reference says: ${texts[0]}; ${by.program ?? by.tool} says: ${texts[1]}`,
    observed: {
      ...(rule === undefined ? {} : { ours: rule }),
      ...(theirs.outcome === "accepted" ? {} : { said: theirs.message }),
    },
    texts,
    ...(finding === undefined ? {} : { about: aboutFinding(finding) }),
  });
}

/** The part of an image that a finding concerns. */
export function aboutFinding(
  { path, offset }: Judgement["findings"][number],
): About {
  return { path, ...(typeof offset === "number" ? { offset } : {}) };
}

const SHORT = 60;

/** An outcome in one line, with its value if that is short. */
export function outcomeText(outcome: Ours<unknown> | Outcome<unknown>): string {
  if (outcome.outcome === "accepted") {
    const value = JSON.stringify(outcome.value) ?? "";
    return value.length > 4 && value.length < SHORT ? `accepted ${value}` : "accepted";
  }
  const rule = "rule" in outcome && outcome.rule !== undefined ? `${outcome.rule}: ` : "";
  const printed = "printed" in outcome ? `: '${outcome.printed}'` : "";
  return `${outcome.outcome} (${rule}${outcome.message})${printed}`;
}

/**
 * The part of an answer that a path leads into: what is around the place that differs. Members of
 * it that the other answer lacks are left out, except for the one that differs.
 */
function partText<T>(
  path: string,
  answer: Ours<T> | Outcome<T>,
  other: Ours<T> | Outcome<T>,
): string | undefined {
  const names = path.split("/").slice(1);
  const name = names.pop();
  const part = partAt(answer, names);
  if (part === undefined) return undefined;
  const known = partAt(other, names) ?? part;
  const members = Object.entries(part).filter(([key]) => key === name || Object.hasOwn(known, key))
    .toSorted(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify(Object.fromEntries(members), null, 1);
}

function partAt<T>(answer: Ours<T> | Outcome<T>, names: readonly string[]): object | undefined {
  if (answer.outcome !== "accepted") return undefined;
  const part = names.reduce<unknown>(
    (value, name) => (value as { [name: string]: unknown } | undefined)?.[name],
    answer.value,
  );
  return typeof part === "object" && part !== null ? part : undefined;
}
