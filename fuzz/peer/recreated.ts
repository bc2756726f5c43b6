import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Peer, PeerError, runTool, withScratch } from "../../src/peers/mod.ts";
import { storedPeerCase } from "./case.ts";
import { isAboutAnswer, type PeerQuestion, type QuestionFacts } from "./facts.ts";
import { failureOf, wrongIn } from "./failure.ts";
import type { FuzzFinding } from "./finding.ts";
import { ask } from "./questions.ts";
import { recipeOf } from "./recipe.ts";
import { FILE_MAX, subjectOf } from "./subject.ts";
import type { PeerUnderTest } from "./under_test.ts";
import { CaseView } from "./view.ts";

/** An image that public tools make, and the failure that it shows. */
export interface Recreated {
  /** Lines of a shell script. */
  readonly commands: readonly string[];
  readonly facts: QuestionFacts;
}

/**
 * Makes an image like that of a finding with qemu-img and qemu-io, and asks the implementation about it.
 *
 * @returns nothing if there is no such image, or if the implementation fails in no or in another way
 */
export async function recreated(
  { facts, failure: { found: { dossier } } }: FuzzFinding,
  under: PeerUnderTest,
): Promise<Recreated | undefined> {
  if (!isAboutAnswer(facts)) return undefined;
  if (dossier === undefined || facts.scope?.snapshot !== undefined) return undefined;
  const value = storedPeerCase(dossier.case);
  const commands = recipeOf(value);
  if (commands === undefined) return undefined;
  const making = withScratch(async (directory) => {
    const script = ["/bin/sh", "-euc", commands.join("\n")];
    const { end } = await runTool(script, { directory, inheritEnvironment: true });
    if (end.kind !== "exited" || end.code !== 0) return undefined;
    const names = dossier.files.map(({ name }) => name);
    if (names.some((name) => statSync(join(directory, name)).size > FILE_MAX)) return undefined;
    const files = names.map((name) => ({
      name,
      source: new MemorySource(readFileSync(join(directory, name))),
    }));
    const peer = under.open();
    try {
      const shown = await factsOf(new CaseView(value, files), facts, { under, peer, directory });
      return shown === undefined ? undefined : { commands, facts: shown };
    } finally {
      await peer.close?.();
    }
  });
  return await making.catch((error) => {
    // Without a shell, and if the implementation does not start any more, there is no such image.
    if (error instanceof PeerError) return undefined;
    throw error;
  });
}

/** The failure, if it is the same one. */
async function factsOf(
  view: CaseView,
  { kind, question: name, operation, scope, expectation, passphrases: [passphrase] }: QuestionFacts,
  { under, peer, directory }: { under: PeerUnderTest; peer: Peer; directory: string },
): Promise<QuestionFacts | undefined> {
  const question: PeerQuestion = {
    ...{ name, operation },
    ...(scope === undefined ? {} : { scope }),
    ...(operation === "unlock" && passphrase !== undefined ? { passphrase } : {}),
  };
  const outcome = await ask(peer, question, subjectOf(view, { directory, under }));
  const wrong = wrongIn(view, { question, outcome, under });
  if (wrong?.kind !== kind) return undefined;
  const { details } = failureOf(view, under, { question, outcome, wrong });
  const facts = details.facts as unknown as QuestionFacts;
  const [rule] = expectation.rules ?? [];
  const isSame = kind !== "accepts-invalid" || rule === undefined ||
    facts.expectation.rules?.includes(rule) === true;
  return isSame ? facts : undefined;
}
