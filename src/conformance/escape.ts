import { visible } from "../format/mod.ts";

/** Texts of images and of implementations, escaped for each kind of report. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Each line of a text without control characters: a line end stays. */
function printable(text: string): string {
  return text.split("\n").map((line) => visible(line.toWellFormed())).join("\n");
}

/** Text in HTML, and in a value of an attribute. */
export function htmlText(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Text in XML, and in a value of an attribute: version 1.0 has no control characters. */
export function xmlText(text: string): string {
  return htmlText(text).replaceAll(/[\ufffe\uffff]/g, "\ufffd").replaceAll("&#39;", "&apos;");
}

/** Text in one line of Markdown. */
export function markdownText(text: string): string {
  return visible(text.toWellFormed()).replaceAll(/[\\`*_[\]#|~@]|^[-+]/g, "\\$&")
    .replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? "");
}

/** Text as code in one line of Markdown. */
export function markdownCode(text: string): string {
  const shown = visible(text.toWellFormed()).replaceAll("|", "\\|");
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}

/** Lines as a block of code in Markdown. */
export function markdownBlock(lines: readonly string[]): string[] {
  const shown = lines.map((line) => visible(line.toWellFormed()));
  const longest = Math.max(2, ...(shown.join("\n").match(/`+/g) ?? []).map((it) => it.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...shown, fence];
}
