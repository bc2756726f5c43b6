import { SegmentSource } from "../../src/bytes/mod.ts";
import { findingTitle, type Picture, pictureOf, ruleText } from "../../src/conformance/mod.ts";
import { visible } from "../../src/format/mod.ts";
import type { FailureKind } from "../../src/peers/mod.ts";
import { isRuleId, ruleOf } from "../../src/rules/mod.ts";
import type { DossierFile } from "../engine/mod.ts";
import { isAboutAnswer, type PeerFacts } from "./facts.ts";
import type { FuzzFinding } from "./finding.ts";
import type { Recreated } from "./recreated.ts";
import { reproduceScript } from "./reproduce.ts";

/** What the folder of a finding has: texts, and the files of its case. */
export interface FindingFolder {
  /** Text by the name of its file. */
  readonly texts: Readonly<Record<string, string>>;
  readonly files: readonly DossierFile[];
}

/**
 * The folder of a finding, for the maintainer of the implementation.
 *
 * @param like a similar image that public tools make, which shows the same failure
 */
export function folderOf(found: FuzzFinding, like?: Recreated): FindingFolder {
  const { failure: { found: { dossier } }, finding, facts, peer } = found;
  const files = dossier?.files ?? [];
  const title = findingTitle(finding);
  const shown = like?.facts ?? facts;
  const { passphrases } = shown;
  const texts = {
    "README.md": readme(found, like),
    "reproduce.sh": isAboutAnswer(shown)
      ? reproduceScript({
        ...{ title, peer, facts: shown, files, passphrases, commands: like?.commands },
      })
      : dossier?.script ?? "",
    "finding.json": `${JSON.stringify({ peer, ...finding, facts }, null, 2)}\n`,
  };
  return { texts, files };
}

/** Pictures of the files of the smallest case, the image first, with the changed bytes marked. */
export function picturesOf({ failure: { found: { dossier } } }: FuzzFinding): Picture[] {
  const { files = [], description = "" } = dossier ?? {};
  return files.map(({ name, size, extents }, index) =>
    pictureOf(new SegmentSource(extents, size), {
      ...(files.length > 1 ? { name } : {}),
      changes: index === 0 ? description.split("\n").filter((line) => line.startsWith("/")) : [],
    })
  );
}

function readme(found: FuzzFinding, like: Recreated | undefined): string {
  const { finding, facts, failure: { found: { dossier, fault }, versions } } = found;
  const { smallest, cause, count, firstSeen, securityRelevant } = finding;
  const sections = [
    `# ${findingTitle(finding)}`,
    `${sentenceOf(found)}${
      securityRelevant ? " **It can be used to attack a user who opens an image.**" : ""
    }`,
    ...formatSays(found),
    "## Answers",
    table([["question", facts.question], ["expected", verdictText(found)], [
      "expected answer",
      smallest.expected,
    ], [`${facts.peer} ${facts.version}`, smallest.answered]]),
    isAboutAnswer(facts) ? "## The image" : "## The image and its changes",
    fenced(dossier?.description ?? ""),
    ...(dossier?.excerpt === undefined ? [] : [fenced(dossier.excerpt)]),
    ...(facts.rules.length === 0
      ? []
      : [`The image breaks ${facts.rules.map((rule) => `\`${rule}\``).join(", ")}.`]),
    `Features: ${facts.features.map((it) => `\`${it}\``).join(", ")}.`,
    "## Reproduce",
    reproduceText(facts, like),
    `First seen ${firstSeen}; ${count} ${count === 1 ? "case" : "cases"}; ` +
    `${fault.signature}; diskproof ${versions["diskproof"] ?? ""}; cause \`${cause.name}\`.`,
  ];
  return `${sections.map(visibleText).join("\n\n")}\n`;
}

/** What is wrong with changes of an image. */
const CHANGE_TEXTS: Readonly<Partial<Record<FailureKind, string>>> = {
  "wrong-content": "changes an image, and its content is not what was written",
  "writes-invalid": "changes an image, and leaves one that breaks the format",
  "refuses-valid": "rejects a change of a valid image",
  "malformed-answer": "gives a malformed answer to a change of an image",
  memory: "uses more memory than the limit for a change of an image",
  hang: "does not answer a change of an image",
  crash: "crashes over a change of an image",
};

/** One sentence of what is wrong. */
function sentenceOf({ facts, finding: { cause } }: FuzzFinding) {
  const { kind, peer, version, question } = facts;
  const who = `${peer} ${version}`;
  const where = cause.type === "rule" ? `breaks \`${cause.name}\`` : `has \`${cause.name}\``;
  if (!isAboutAnswer(facts)) return `${who} ${CHANGE_TEXTS[kind]} (\`${cause.name}\`).`;
  switch (kind) {
    case "wrong-content":
      return `${who} answers \`${question}\` with other bytes than the image has, if it ${where}.`;
    case "memory":
      return `${who} uses more memory than the limit for an image that ${where}.`;
    case "hang":
      return `${who} does not answer \`${question}\` for an image that ${where}.`;
    case "crash":
      return `${who} crashes over \`${question}\` for an image that ${where}.`;
    case "refuses-valid":
      return `${who} rejects a valid image that ${where} (\`${question}\`).`;
    case "accepts-invalid":
      return `${who} accepts an invalid image that ${where} (\`${question}\`).`;
    default:
      return `${who} answers \`${question}\` wrongly for an image that ${where}.`;
  }
}

function reproduceText(facts: PeerFacts, like: Recreated | undefined): string {
  if (!isAboutAnswer(facts)) {
    return "`sh reproduce.sh` makes the image, sends the changes to the implementation, and has " +
      "qemu-img check the image, if it is qcow2, and compare it with a raw image that was changed in " +
      "the same way.";
  }
  return like === undefined
    ? "`sh reproduce.sh` writes the same files without diskproof, and asks the implementation " +
      "and qemu-img."
    : "`sh reproduce.sh` makes a similar image with qemu-img and qemu-io, and asks the " +
      "implementation and qemu-img.";
}

/** The sentences of the format that decide. */
function formatSays({ finding: { cause }, facts: { expectation: { rules = [] } } }: FuzzFinding) {
  if (cause.rule !== undefined) return [`> ${cause.says ?? ""}\n\n(${ruleText(cause)})`];
  const others = rules.filter((rule) => isRuleId(rule)).map((rule) => {
    const { says, section, class: by, level } = ruleOf(rule);
    return `> ${says}\n\n(${by}, ${level}; section: ${section})`;
  });
  return others.length > 0 || cause.says === undefined ? others : [`The image has: ${cause.says}.`];
}

function verdictText({ facts: { expectation: { verdict, reason, rules = [] } } }: FuzzFinding) {
  const because = [...(reason === undefined ? [] : [reason]), ...rules];
  return because.length === 0 ? verdict : `${verdict} (${because.join(", ")})`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, "<br>");
  return ["| | |", "| --- | --- |", ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`)]
    .join("\n");
}

function fenced(text: string): string {
  return `~~~~text\n${text}\n~~~~`;
}

function visibleText(text: string): string {
  return text.split("\n").map(visible).join("\n");
}
