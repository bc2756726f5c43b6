import { htmlText } from "../escape.ts";
import type { FindingCase, PeerFinding } from "../finding.ts";
import type { Picture } from "../picture.ts";
import type { PeerResult } from "../report.ts";
import { countText, evidenceText, expectationText, findingTitle, ruleText } from "../text.ts";
import { pictureSvg } from "./svg.ts";

/** A wrong answer of an implementation. */
interface PeerCase {
  readonly peer: number;
  readonly finding: PeerFinding;
  readonly case: FindingCase;
}

/** All wrong answers about one image. */
export interface CaseImage {
  /** Its place in the page: names of images are not used as addresses. */
  readonly id: string;
  readonly image: string;
  readonly failures: PeerCase[];
}

/** The images with a wrong answer, by name: those of the worst findings first. */
export function collectCases(peers: readonly PeerResult[]): ReadonlyMap<string, CaseImage> {
  const found = new Map<string, CaseImage>();
  for (const [peer, { findings }] of peers.entries()) {
    for (const finding of findings) {
      for (const it of finding.cases) {
        const known = found.get(it.image);
        const entry = known ?? { id: `case-${found.size}`, image: it.image, failures: [] };
        found.set(it.image, entry);
        entry.failures.push({ peer, finding, case: it });
      }
    }
  }
  return found;
}

/** Links to the cases of some images. */
export function caseLinks(
  images: readonly string[],
  cases: ReadonlyMap<string, CaseImage>,
): string {
  const items = images.flatMap((image) => {
    const found = cases.get(image);
    return found === undefined ? [] : [`<li><a href="#${found.id}">${htmlText(image)}</a></li>`];
  });
  return `<ul class="links">${items.join("")}</ul>`;
}

/** The findings of an implementation. */
export function findingsHtml(
  { name, version, findings }: PeerResult,
  { index, cases }: { readonly index: number; readonly cases: ReadonlyMap<string, CaseImage> },
): string {
  const items = findings.map((finding, at) => {
    const { known, smallest } = finding;
    const images = [...new Set(finding.cases.map(({ image }) => image))];
    const state = known === undefined
      ? ""
      : ` <span class="none">known: ${htmlText(known.reason)}</span>`;
    return [
      `<details id="finding-${index}-${at}"><summary><span class="kind">${
        htmlText(findingTitle(finding))
      }</span>, ${htmlText(countText(finding))}${state}</summary><div>`,
      sentenceHtml(finding),
      known?.link === undefined ? "" : `<p>${htmlText(known.link)}</p>`,
      smallest.reproduce === undefined
        ? ""
        : `<p>Query the smallest case again: <code>${htmlText(smallest.reproduce)}</code></p>`,
      smallest.writeOut === undefined
        ? ""
        : `<p>Write its files: <code>${htmlText(smallest.writeOut)}</code></p>`,
      caseLinks(images, cases),
      "</div></details>",
    ].join("");
  });
  const none = findings.length === 0 ? "<p>No wrong answers.</p>" : "";
  return `<h3>${htmlText(`${name} ${version}`)}</h3>${none}${items.join("")}`;
}

function sentenceHtml({ cause }: PeerFinding): string {
  const name = `<code>${htmlText(cause.name)}</code>`;
  const about = [ruleText(cause), evidenceText(cause)].filter((it) => it !== "");
  const says = cause.says === undefined ? "" : `<blockquote>${htmlText(cause.says)}</blockquote>`;
  const texts = about.map((it) => `<p>${name}: ${htmlText(it)}</p>`);
  return `${says}${texts.join("")}`;
}

const KINDS = {
  header: "header",
  table: "table",
  data: "data",
  compressed: "compressed data",
  unused: "unreferenced",
  conflict: "referenced by several",
} as const;

/** Every image with a wrong answer: the sentence, a picture and the answers side by side. */
export function casesHtml(
  cases: ReadonlyMap<string, CaseImage>,
  { names, pictures }: {
    readonly names: readonly string[];
    readonly pictures: ReadonlyMap<string, readonly Picture[]>;
  },
): string {
  if (cases.size === 0) return "";
  const legend = Object.entries(KINDS).map(([kind, text]) =>
    `<li><svg viewBox="0 0 9 9" class="${kind}" aria-hidden="true"><rect width="9" height="9"/></svg>${text}</li>`
  );
  return [
    `<h2 id="cases">Cases</h2><ul class="legend">${legend.join("")}`,
    '<li><svg viewBox="0 0 9 9" class="changed" aria-hidden="true"><rect x="1" y="1" width="7" ',
    'height="7"/></svg>changed bytes</li></ul>',
    ...[...cases.values()].map((it) =>
      caseHtml(it, { names, pictures: pictures.get(it.image) ?? [] })
    ),
  ].join("");
}

function caseHtml(
  { id, image, failures }: CaseImage,
  { names, pictures }: { readonly names: readonly string[]; readonly pictures: readonly Picture[] },
): string {
  const [first] = failures;
  const kinds = [...new Set(failures.map(({ finding }) => finding.kind))].join(", ");
  const findings = new Map(failures.map(({ finding }) => [finding.cause.name, finding]));
  const { changes = [], bytes = 0, writeOut } = first?.case ?? {};
  const questions = [...new Set(failures.map((it) => it.case.question))];
  return [
    `<details id="${id}"><summary><span class="kind">${htmlText(image)}</span>, ${bytes} bytes: ${
      htmlText(kinds)
    }</summary><div>`,
    ...[...findings.values()].map(sentenceHtml),
    changes.length === 0
      ? ""
      : `<p>Changed: ${changes.map((change) => `<code>${htmlText(change)}</code>`).join(", ")}</p>`,
    ...pictures.map(pictureHtml),
    ...questions.map((question) =>
      answersHtml(question, {
        names,
        failures: failures.filter((it) => it.case.question === question),
      })
    ),
    writeOut === undefined ? "" : `<p>Write its files: <code>${htmlText(writeOut)}</code></p>`,
    "</div></details>",
  ].join("");
}

function pictureHtml(picture: Picture): string {
  const { name, omitted } = picture;
  const more = omitted > 0 ? `<p class="none">${omitted} more ranges are not drawn.</p>` : "";
  const caption = name === undefined ? "" : `<h4>${htmlText(name)}</h4>`;
  return `${caption}${pictureSvg(picture)}${more}`;
}

/** What is expected and what was answered, side by side. */
function answersHtml(
  question: string,
  { names, failures }: {
    readonly names: readonly string[];
    readonly failures: readonly PeerCase[];
  },
): string {
  const expected = [...new Set(failures.map((it) => it.case.expected))];
  const verdicts = [...new Set(failures.map((it) => expectationText(it.case)))];
  const columns = [
    columnHtml(`expected: ${verdicts.join("; ")}`, expected),
    ...names.map((name, peer) => {
      const own = failures.filter((it) => it.peer === peer).map((it) => it.case.answered);
      return columnHtml(name, own.length === 0 ? ["no wrong answer"] : own);
    }),
  ];
  return `<h4>${htmlText(question)}</h4><div class="answers">${columns.join("")}</div>`;
}

function columnHtml(title: string, texts: readonly string[]): string {
  const blocks = texts.map((text) => `<pre>${htmlText(text)}</pre>`);
  return `<div><h5>${htmlText(title)}</h5>${blocks.join("")}</div>`;
}
