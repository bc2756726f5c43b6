import { join } from "node:path";
import { readUpTo } from "../../src/bytes/mod.ts";
import { detect } from "../../src/image/mod.ts";
import { offsetOf } from "../../src/layout/mod.ts";
import {
  bySeverity,
  type Misconduct,
  type Operation,
  type Outcome,
  type Peer,
  type Subject,
} from "../../src/peers/mod.ts";
import { header } from "../../src/qcow2/mod.ts";
import { isRuleId, ruleOf } from "../../src/rules/mod.ts";
import { writeDensely } from "../compare/mod.ts";
import type { CaseReport, Target, TargetContext } from "../engine/mod.ts";
import { allPassphrases, depthOf, describeModel, sourceOf } from "../formats/mod.ts";
import { KEY_WORDS } from "../generate/mod.ts";
import { describeEdit } from "../mutate/mod.ts";
import { excerptOf, featuresIn, toPlainJson } from "../targets/mod.ts";
import {
  type CaseOptions,
  editsMost,
  isAskedAbout,
  isChain,
  mutatedPeerCase,
  type PeerCase,
  peerCases,
  repairedPeerCase,
  storedPeerCase,
  topFormat,
} from "./case.ts";
import type { PeerQuestion } from "./facts.ts";
import { failureOf, wrongIn } from "./failure.ts";
import { ask, questionsFor } from "./questions.ts";
import { isUsualTrait, modelTraits, slugOf } from "./traits.ts";
import { FILE_MAX, subjectOf } from "./subject.ts";
import type { PeerUnderTest } from "./under_test.ts";
import { CaseView } from "./view.ts";

/** A property of implementations. */
export interface PeerProperty extends CaseOptions {
  /** Name of the target: `peer-content`. */
  readonly name: string;
  readonly says: string;
  readonly weight: number;
  /** The questions that are asked, as far as the implementation has the operations. */
  readonly operations: readonly Operation[];
}

/** A property of one implementation; nothing if it lacks the operations or the formats. */
export function peerTarget(
  peer: PeerUnderTest,
  property: PeerProperty,
  name: string = property.name,
): Target<PeerCase> | undefined {
  const { description } = peer;
  const operations = property.operations.filter((it) => description.operations.includes(it));
  const cases = peerCases(peer, property);
  if (operations.length === 0 || cases === undefined) return undefined;
  let running: Peer | undefined;
  const hangs = { confirmed: false };
  return {
    name,
    says: property.says,
    weight: property.weight,
    cases: () => cases,
    toJson: toPlainJson,
    fromJson: storedPeerCase,
    repair: repairedPeerCase,
    ...(editsMost(property) ? { mutate: mutatedPeerCase } : {}),
    files: (value) => new CaseView(value).files,
    describe: (value) => describeCase(value),
    excerpt: (value, about) => {
      const view = new CaseView(value);
      return excerptOf(view.kit, sourceOf(view.files), { about, model: value.model });
    },
    passphrases: (value) => {
      const view = new CaseView(value);
      return view.kit.keys === undefined ? [] : allPassphrases(view.kit, value.model);
    },
    causes: {
      group: peer.text,
      traits: traitsOf,
      isUsual: isUsualTrait,
      isDecisive: (trait) =>
        isRuleId(trait) && ruleOf(trait).class !== "qemu" && ruleOf(trait).level === "must",
    },
    run: (value, context) => {
      running ??= peer.open();
      return runCase(value, context, { under: peer, peer: running, operations, hangs });
    },
    async stop() {
      const closing = running;
      running = undefined;
      await closing?.close?.();
    },
  };
}

function describeCase(value: PeerCase): string {
  const view = new CaseView(value);
  // An edit may turn encryption on.
  const isPlain = value.edits.length === 0 && allPassphrases(view.kit, value.model).length === 0;
  return [
    describeModel(view.kit, value.model),
    ...value.edits.map(describeEdit),
    ...(view.kit.keys === undefined || isPlain ? [] : [`opened with ${KEY_WORDS[value.key]}`]),
  ].join("\n");
}

/** Features and rules of the image, and what else is special about its model and its edits. */
function traitsOf(value: PeerCase): string[] {
  const view = new CaseView(value);
  const rules = value.edits.length === 0 ? [] : view.rules;
  const edits = rules.length > 0
    ? []
    : value.edits.map((edit) => `edit.${"path" in edit ? edit.path : edit.op}`);
  const own = [...editedTraits(view), ...modelTraits(value.kit, value.model)];
  const traits = [...view.features, ...rules, ...edits, ...own];
  return [...new Set(traits.map(slugOf))];
}

/** The header of qcow has the size in the same place. */
const SIZE_OFFSET = offsetOf(header, "size");
/** Nobody has such disks, and reading a whole one does not end. */
const HUGE = 2n ** 48n;

/** A virtual size that edits have made huge, whatever the rules that it breaks. */
function editedTraits({ value, files: [file] }: CaseView): string[] {
  if (value.edits.length === 0 || !isChain(value) || file === undefined) return [];
  const bytes = readUpTo(file.source, SIZE_OFFSET, 8);
  if (bytes.length < 8) return [];
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) >= HUGE ? ["huge-disk"] : [];
}

interface Asking {
  readonly under: PeerUnderTest;
  readonly peer: Peer;
  readonly operations: readonly Operation[];
  /** Whether the implementation is known to hang, so that a hang needs no second attempt. */
  readonly hangs: { confirmed: boolean };
}

async function runCase(
  value: PeerCase,
  { directory, at }: TargetContext,
  { under, peer, operations, hangs }: Asking,
): Promise<CaseReport> {
  const view = new CaseView(value);
  const skipped = isAskedAbout(value, under)
    ? whyNotAsked(view)
    : "the implementation does not list the format";
  if (skipped !== undefined) return { depth: "header", rules: [], skipped };
  for (const { name, source } of view.files) writeDensely(join(directory, name), source);
  const subject = subjectOf(view, { directory, under });
  let answers = 0;
  const features: string[] = [];
  let worst: { question: PeerQuestion; outcome: Outcome<unknown>; wrong: Misconduct } | undefined;
  for (const question of questionsFor(view, operations)) {
    at?.(question.name);
    const outcome = await askTwice(question, subject, { peer, hangs });
    if (outcome.outcome !== "unsupported") answers++;
    features.push(`${question.operation} ${outcome.outcome}`);
    const wrong = wrongIn(view, { question, outcome, under });
    if (wrong === undefined) continue;
    if (worst === undefined || bySeverity(wrong.kind, worst.wrong.kind) < 0) {
      worst = { question, outcome, wrong };
    }
    if (wrong.kind === "hang") break;
  }
  if (worst !== undefined) throw failureOf(view, under, worst);
  if (answers === 0) {
    return { depth: "header", rules: [], skipped: "the implementation does not support the image" };
  }
  if (value.edits.length === 0) {
    return { depth: "accepted", rules: [], features: [...features, ...view.features] };
  }
  const { opened, judgement } = view;
  return {
    depth: depthOf(view.kit, opened, judgement),
    rules: view.rules,
    features: [...features, ...featuresIn(judgement)],
  };
}

/** A machine that is busy may be slow once. */
async function askTwice(
  question: PeerQuestion,
  subject: Subject,
  { peer, hangs }: Pick<Asking, "peer" | "hangs">,
): Promise<Outcome<unknown>> {
  const outcome = await ask(peer, question, subject);
  if (outcome.outcome !== "timed-out" || hangs.confirmed) return outcome;
  const again = await ask(peer, question, subject);
  hangs.confirmed = again.outcome === "timed-out";
  return again;
}

function whyNotAsked(view: CaseView): string | undefined {
  const { files, value } = view;
  if (files.some(({ source }) => source.size > FILE_MAX)) {
    return "the image file is too large to write";
  }
  if (value.edits.length === 0) return undefined;
  // An implementation is given no format: it detects it.
  if (view.opened.header === undefined && detect(sourceOf(files)).name !== topFormat(value)) {
    return "the edited image is detected as another format";
  }
  // It would take as long in any implementation.
  return view.rules.includes("luks.work.iterations-budget")
    ? "deriving a key takes too long"
    : undefined;
}
