import { shellWord } from "../../src/report/mod.ts";
import { type Fault, pathText, type ReportedFailure, type Sidecar } from "../engine/mod.ts";
import { oneAnswer, sideBySide } from "./side_by_side.ts";
import { indent } from "./table.ts";

/** Frames of a stack that are printed. The sidecar has all. */
const FRAMES_SHOWN = 6;

/** A failure of a run or of a sidecar. */
export interface FailureFacts {
  readonly target: string;
  readonly fault: Fault;
  readonly seed: number;
  readonly path: string;
  readonly shrink?: { readonly tried: number; readonly complete: boolean };
  readonly repeats?: boolean;
  readonly description: string;
  readonly excerpt: string;
  /** A shell script that does the same with public tools. */
  readonly script?: string;
  readonly gaps: readonly string[];
  /** Path of the artifact, as typed. */
  readonly artifact?: string;
  readonly artifactError?: string;
}

/** The facts of a failure of a run. */
export function factsOfFailure(failure: ReportedFailure): FailureFacts {
  const { found: { dossier, ...found }, artifact, artifactError } = failure;
  return {
    target: failure.target,
    fault: found.fault,
    seed: failure.seed,
    path: pathText(found.index, found.path),
    description: dossier?.description ?? "(the case cannot be generated again)",
    excerpt: dossier?.excerpt ?? "(none)",
    ...(dossier?.script === undefined ? {} : { script: dossier.script }),
    gaps: dossier?.gaps ?? [],
    ...(found.shrink === undefined ? {} : { shrink: found.shrink }),
    ...(found.repeats === undefined ? {} : { repeats: found.repeats }),
    ...(artifact === undefined ? {} : { artifact }),
    ...(artifactError === undefined ? {} : { artifactError }),
  };
}

/** The facts of a stored failure, as it is now. */
export function factsOfSidecar(sidecar: Sidecar, fault: Fault, artifact: string): FailureFacts {
  return { ...sidecar, fault, artifact };
}

/** The report of a failure: what, where, both answers, and the four blocks at the end. */
export function failureText(facts: FailureFacts): string {
  const { target, fault } = facts;
  // Where two answers were compared says nothing about why they differ.
  const stack = fault.answers === undefined ? fault.stack : [];
  const frames = stack.slice(0, FRAMES_SHOWN).map((frame) => `at ${frame}`);
  return [
    `FAILURE in ${target}: ${kindText(fault)}`,
    indent([fault.message, ...frames, ...notesOn(facts)].join("\n")),
    "",
    ...answersIn(fault).map((text) => block("Answers", text)),
    block("Input", inputOf(facts)),
    block("Excerpt", facts.excerpt),
    ...scriptBlock(facts),
    block("Reproduce with", reproduceWith(facts)),
    block("Minimize with", minimizeWith(facts)),
  ].join("\n");
}

/** Lines of a script that is printed; a longer one is beside the artifact. */
const SCRIPT_SHOWN = 40;

function scriptBlock({ script, artifact }: FailureFacts): string[] {
  if (script === undefined) return [];
  const short = script.split("\n").length <= SCRIPT_SHOWN;
  if (short || artifact === undefined) return [block("Script", script.trimEnd())];
  return [block("Script", `sh ${shellWord(`${artifact}.sh`)}`)];
}

/** The signature of a failure of an implementation starts with its kind. */
function kindText({ kind, signature, facts }: Fault): string {
  return facts === undefined ? `${kind}, ${signature}` : signature;
}

/** The option that names the implementation, where the failure is one of an implementation. */
function peerOption({ facts }: Fault): string {
  const adapter = (facts as { readonly adapter?: unknown } | undefined)?.adapter;
  return typeof adapter === "string" ? ` --peer ${shellWord(adapter)}` : "";
}

function answersIn({ answers = [] }: Fault): string[] {
  const [first, second, ...others] = answers;
  if (first === undefined) return [];
  if (second === undefined || others.length > 0) return [answers.map(oneAnswer).join("\n\n")];
  return [sideBySide([first, second])];
}

function block(title: string, text: string): string {
  return `${title}:\n${indent(text)}\n`;
}

function notesOn(facts: FailureFacts): string[] {
  const { seed, path, shrink, repeats, gaps, artifactError } = facts;
  const notes = [`seed ${seed}, path ${path}${shrink === undefined ? "" : shrinkNote(shrink)}`];
  if (repeats === false) {
    notes.push("It did not fail in a second run");
  }
  if (artifactError !== undefined) notes.push(`Cannot write the artifact: ${artifactError}`);
  return [...notes, ...gaps];
}

function shrinkNote({ tried, complete }: { tried: number; complete: boolean }): string {
  const end = complete ? "none smaller fails the same way" : "stopped by the time limit";
  return `, ${tried} smaller cases tried, ${end}`;
}

function inputOf({ artifact, description }: FailureFacts): string {
  return artifact === undefined ? description : `${artifact}\n${description}`;
}

function reproduceWith({ artifact, seed, target, path, fault }: FailureFacts): string {
  const peer = peerOption(fault);
  if (artifact !== undefined) return `deno task repro ${shellWord(artifact)}${peer}`;
  const index = Number(path.split(":")[0]);
  return `deno task fuzz ${shellWord(target)}${peer} --seed ${seed} --runs ${index + 1}`;
}

function minimizeWith({ artifact, fault }: FailureFacts): string {
  if (artifact === undefined) return "(no artifact was written)";
  return `deno task minimize ${shellWord(artifact)}${peerOption(fault)} --time 10m`;
}
