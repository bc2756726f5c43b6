import type { Expectation } from "../../../src/expect/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import type {
  CryptsetupAnswers,
  ImageRecord,
  QemuImgAnswers,
  Question,
  RecordedCommand,
  RecordedFile,
  RecordedOutcome,
} from "../../../src/recorded/mod.ts";
import { hasSpoken, questionsOf } from "../../../src/recorded/mod.ts";
import type { CorpusImage } from "../corpus_image.ts";
import type { MatrixRecord } from "../matrix_record.ts";
import { isRuleId, ruleOf } from "../../../src/rules/mod.ts";

/** Where recorded images come from. */
export type CaseSet = "corpus" | "golden" | "matrix";

/** A case as it is exported; `corpus/schema/case.schema.json` describes it. */
export interface ExportedCase {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly set: CaseSet;
  readonly format: string;
  readonly shows: string;
  /** What it does with the rule that it is about. */
  readonly polarity?: "breaks" | "keeps";
  /** The rules that it is about: one, or none. */
  readonly rules: readonly string[];
  /** The level of that rule. */
  readonly level?: string;
  /** Each rule that is named here or under `expect`. */
  readonly spec: readonly Sentence[];
  readonly features: readonly string[];
  readonly flags: readonly string[];
  readonly happened?: string;
  readonly open: Opening;
  readonly files: readonly (RecordedFile & { readonly path: string })[];
  readonly expect: readonly ExportedExpectation[];
  readonly answers: { readonly [tool: string]: QemuImgAnswers | CryptsetupAnswers };
  readonly divergences: readonly ExportedDivergence[];
  readonly source: {
    readonly builder: string;
    readonly changes?: readonly string[];
    readonly model?: Json;
    readonly edits?: Json;
    readonly commands?: readonly RecordedCommand[];
  };
}

/** How a case is opened. */
export interface Opening {
  /** The path of the image, as that of each file, from the root of the export. */
  readonly image: string;
  /** The format that the image is opened as; absent if it is probed. */
  readonly format?: string;
  readonly header?: string;
  readonly passphrases?: readonly string[];
}

/** A rule with its citation. */
export interface Sentence {
  readonly rule: string;
  readonly class: string;
  readonly level: string;
  readonly document: string;
  readonly section: string;
  readonly sentence: string;
}

/** What is expected for one operation. */
export interface ExportedExpectation extends Omit<Expectation, "rules"> {
  readonly operation: string;
  readonly snapshot?: string;
  readonly offset?: number;
  readonly length?: number;
  readonly passphrase?: string;
  /** The rules that decide; the one that the image keeps, where it must be accepted. */
  readonly rules: readonly string[];
  /** The right answer, where the image is accepted and the answer is known. */
  readonly answer?: Json;
  /** Who has given this verdict, and this digest or key slot. */
  readonly witnesses: readonly string[];
}

/** A tool that does something else than the format expects. */
export interface ExportedDivergence {
  /** The rule of the tool that is the reason; absent for a crash, a hang or a wrong answer. */
  readonly id?: string;
  readonly tool: string;
  readonly operation: string;
  readonly does: "accepts" | "rejects" | "crashes" | "hangs" | "answers wrongly";
  readonly message?: string;
}

/** The path of a file in an export. */
export function pathIn(id: string, file: string): string {
  return `cases/${id}/${file}`;
}

/** A recorded image as a case that is complete without this repository. */
export function exportedCase(
  record: ImageRecord,
  set: CaseSet,
  { model, edits }: Pick<CorpusImage, "model" | "edits"> = {},
): ExportedCase {
  const { name: id, files, subject, header, format, passphrases, expected, commands } = record;
  if (expected === undefined) throw new Error(`${id} has no expectations`);
  const [rule, does] = subjectOf(record);
  const rules = rule === undefined ? [] : [rule];
  const expect = questionsOf(record).map((question) => expectationIn(question, { record, rules }));
  const named = new Set([...rules, ...expect.flatMap((it) => it.rules)]);
  return {
    id,
    aliases: record.aliases ?? [],
    set,
    format: expected.format,
    shows: record.shows ?? `made by public tools: ${record.features.join(", ")}`,
    ...(does === undefined ? {} : { polarity: does }),
    rules,
    ...(rule === undefined ? {} : { level: ruleOf(rule).level }),
    spec: [...named].map(sentenceOf),
    features: expected.features,
    flags: record.flags ?? [],
    ...(record.happened === undefined ? {} : { happened: record.happened }),
    open: {
      image: pathIn(id, subject),
      ...(format === undefined ? {} : { format }),
      ...(header === undefined ? {} : { header: pathIn(id, header) }),
      ...(passphrases === undefined ? {} : { passphrases }),
    },
    files: files.map((file) => ({ path: pathIn(id, file.name), ...file })),
    expect,
    answers: { ...ofTool("qemu-img", record.answers), ...ofTool("cryptsetup", record.volume) },
    divergences: questionsOf(record).flatMap((question) => divergencesIn(question, record)),
    source: {
      builder: builderOf(record),
      ...(record.changes === undefined ? {} : { changes: record.changes }),
      ...(model === undefined ? {} : { model: plain(model) }),
      ...(edits === undefined || edits.length === 0 ? {} : { edits: plain(edits) }),
      ...(commands.length === 0 ? {} : { commands }),
    },
  };
}

/** A model or edits as JSON, with bytes in hexadecimal. Large numbers stay exact when they are written. */
function plain(value: unknown): Json {
  if (value instanceof Uint8Array) return value.toHex();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value as Json;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
}

/** The rule that an image is about, and what it does with the rule. */
function subjectOf(
  { features: [rule = "", does] }: ImageRecord,
): [rule?: string, does?: "breaks" | "keeps"] {
  return isRuleId(rule) ? [rule, does === "breaks" ? "breaks" : "keeps"] : [];
}

function builderOf({ builder, cryptsetup }: ImageRecord): string {
  const main = builder === "diskproof" ? builder : `qemu-img ${builder}`;
  return cryptsetup === undefined ? main : `${main}, cryptsetup ${cryptsetup}`;
}

function ofTool<T>(tool: string, answers: { readonly [version: string]: T } = {}) {
  return Object.fromEntries(
    Object.entries(answers).map(([version, answer]) => [`${tool} ${version}`, answer]),
  );
}

/** A rule as a sentence with its citation. */
function sentenceOf(id: string): Sentence {
  const { class: kind, level, section: cited, says } = ruleOf(id);
  const [document = "", ...section] = cited.split(", ");
  return {
    rule: id,
    class: kind,
    level,
    document,
    section: section.join(", "),
    sentence: says,
  };
}

/** What a question is about, in the words of the protocol of adapters. */
function askedIn(
  { name, operation, scope: { snapshot, range } = {} }: Question,
): Pick<ExportedExpectation, "operation" | "snapshot" | "offset" | "length" | "passphrase"> {
  if (snapshot !== undefined) return { operation: "digest-snapshot", snapshot };
  if (range !== undefined) {
    return { operation: "digest-range", offset: range.start, length: range.length };
  }
  return operation === "unlock"
    ? { operation, passphrase: name.replace("unlock with ", "") }
    : { operation };
}

function expectationIn(
  question: Question,
  { record, rules }: { record: ImageRecord; rules: readonly string[] },
): ExportedExpectation {
  const { expected, reference = {} } = record;
  const expectation = expected?.answers[question.name];
  if (expectation === undefined) throw new Error(`${record.name} lacks ${question.name}`);
  const { verdict, anyAnswer } = expectation;
  const right = question.recorded.findLast(({ outcome, fault }) => {
    return fault === undefined && outcome.outcome === "accepted";
  });
  const own = reference[question.name];
  const isCompared = verdict !== "must-reject" && anyAnswer !== true;
  const value = right === undefined ? undefined : valueOf(right.outcome);
  const answer = !isCompared
    ? undefined
    : value === undefined
    ? ownAnswer(own)
    : answerOf(question, value, expected?.format);
  return {
    ...askedIn(question),
    ...expectation,
    rules: expectation.rules ?? rules,
    ...(answer === undefined ? {} : { answer }),
    witnesses: witnessesOf(question, { record, answer, verdict }),
  };
}

function valueOf(outcome: RecordedOutcome["outcome"]): Json | undefined {
  return outcome.outcome === "accepted" ? outcome.value as Json : undefined;
}

/** What the reference has found. */
function ownAnswer(
  own: NonNullable<ImageRecord["reference"]>[string] | undefined,
): Json | undefined {
  if (own?.content !== undefined) return { ...own.content };
  return own?.slot === undefined ? undefined : { slot: own.slot };
}

/** Members of `info` that say where the image is, not what it is. */
const OF_THE_MACHINE = ["actual-size", "filename", "full-backing-filename", "children", "limits"];

function answerOf(
  { operation, tool }: Question,
  value: Json,
  format: string | undefined,
): Json {
  const members = value as { readonly [key: string]: Json };
  if (operation === "check") {
    const { counts = {} } = members as { counts?: { readonly [key: string]: Json } };
    return Object.fromEntries(Object.entries(counts).map(([key, value]) => [dashed(key), value]));
  }
  if (operation === "map") return { extents: value };
  if (operation !== "info") return value;
  return tool === "cryptsetup" ? { format: format ?? "luks2", volume: value } : Object.fromEntries(
    Object.entries(members).filter(([key]) => !OF_THE_MACHINE.includes(key)),
  );
}

/** The name that `qemu-img` has for a count. */
function dashed(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Whose verdict, and whose digest or key slot, is the expected one. */
function witnessesOf(
  question: Question,
  { record, answer, verdict }: {
    record: ImageRecord;
    answer: Json | undefined;
    verdict: Expectation["verdict"];
  },
): string[] {
  const wanted = verdict === "must-reject" ? "rejected" : "accepted";
  const agreeing = question.recorded.filter(({ outcome, fault }) => {
    if (fault === undefined && wanted === "rejected" && isDamaged(question, outcome)) return true;
    if (fault !== undefined || outcome.outcome !== wanted) return false;
    const value = valueOf(outcome);
    return !["digest", "unlock"].includes(question.operation) || value === undefined ||
      answer === undefined || JSON.stringify(value) === JSON.stringify(answer);
  });
  const named = [
    ...agreeing.map(({ version }) => `${question.tool} ${version}`),
    ...record.witnesses?.[question.name] ?? [],
    ...question.name === "digest" ? contentBy(record) : [],
  ];
  return named.length === 0 ? ["diskproof"] : [...new Set(named)];
}

/** Whether a check has reported errors or corruptions, which is a rejection. */
function isDamaged(
  { operation }: Question,
  outcome: RecordedOutcome["outcome"],
): boolean {
  if (operation !== "check" || outcome.outcome !== "accepted") return false;
  return [1, 2].includes((outcome.value as { readonly exitCode: number }).exitCode);
}

/** The tools that have decrypted a volume of the matrix. */
function contentBy({ contentBy = [] }: ImageRecord & Partial<MatrixRecord>): readonly string[] {
  return contentBy;
}

/** Tools that fail, or that do what the format does not allow. */
function divergencesIn(question: Question, { expected }: ImageRecord): ExportedDivergence[] {
  const { operation, recorded, tool: name } = question;
  const { verdict = "either", reason, rules = [] } = expected?.answers[question.name] ?? {};
  return recorded.flatMap(({ version, outcome, fault }): ExportedDivergence[] => {
    const at = { tool: `${name} ${version}`, operation };
    if (fault !== undefined) return [{ ...at, does: "answers wrongly", message: fault }];
    if (outcome.outcome === "crashed" || outcome.outcome === "timed-out") {
      const does = outcome.outcome === "crashed" ? "crashes" : "hangs";
      return [{ ...at, does, message: outcome.message }];
    }
    if (!hasSpoken(outcome)) return [];
    const [id] = rules.filter((rule) => ruleOf(rule).class !== "spec");
    const does = outcome.outcome === "accepted" ? "accepts" : "rejects";
    const differs = verdict === "either"
      ? does === "rejects" && (reason === "limit" || reason === "habit")
      : verdict !== `must-${does.slice(0, -1)}` && operation !== "check";
    return differs ? [{ ...id === undefined ? {} : { id }, ...at, does }] : [];
  });
}
