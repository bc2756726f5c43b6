import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CODE, ROOT } from "./source_files.ts";

/** A phrase that an earlier version of the text used, and the plain words for it. */
interface Banned {
  readonly phrase: RegExp;
  readonly instead: string;
}

const BANNED: readonly Banned[] = [
  { phrase: /\b(?:hold|holds|held|holding)\b[^.;{}]{0,60}\bagainst\b/i, instead: "compare with" },
  // "passes over 64 KiB" is what Argon2 does with its memory.
  { phrase: /\bpass(?:es|ed|ing)? over\b(?! \$\{memory\} KiB)/i, instead: "skip" },
  {
    phrase: /\bbinds? nobody\b/i,
    instead: "is not an expected result for other implementations",
  },
  { phrase: /\bis no option\b/i, instead: "unknown option --x" },
  { phrase: /\b(?:makes?|made) nothing of\b/i, instead: "ignore" },
  { phrase: /\btaken for\b|\btakes? (?:it|them|this|these) for\b/i, instead: "is treated as" },
  { phrase: /\btells? of\b/i, instead: "report, print, say" },
  { phrase: /\banew\b/i, instead: "again, rebuild" },
  { phrase: /\bnobody's\b/i, instead: "unreferenced" },
  { phrase: /\bl(?:ies|ie|ay) (?:at|in|inside|behind)\b/i, instead: "is at, starts at, is in" },
  { phrase: /\b(?:stands?|stood) (?:at|behind|in(?! for\b))\b/i, instead: "is at, is in" },
  { phrase: /\bas small as it gets\b/i, instead: "as small as possible" },
  {
    phrase: /\bdoes not say that it (?:takes|has|knows)\b/i,
    instead: "does not declare support for",
  },
  { phrase: /\bspelt\b/i, instead: "spelled" },
  { phrase: /\bbut for\b/i, instead: "except, except for" },
  { phrase: /\bbehind each other\b|\bone behind the other\b/i, instead: "one after the other" },
  { phrase: /\bbefore it is known\b/i, instead: "before … is known" },
  {
    phrase: /\bwhere (?:anything|it|they|everything) lies?\b/i,
    instead: "the offset, where it is",
  },
  { phrase: /\bgives? back\b/i, instead: "return" },
  { phrase: /\bwould obey\b/i, instead: "would execute" },
  { phrase: /\b(?:asks|asked) for\b(?! (?:a window of|work)|", )/i, instead: "request" },
  { phrase: /\bletters of any size\b|\bsmall letters\b/i, instead: "in any case, lower case" },
  { phrase: /\bholds? a NUL\b/i, instead: "contains a NUL" },
  { phrase: /\bby turns\b/i, instead: "alternately" },
  { phrase: /\bwhoever\b(?! opens)/i, instead: "the caller, the user" },
  { phrase: /\bnobody knows\b/i, instead: "unknown" },
];

/** Generated pages, and this list. */
const EXCEPT = ["docs/rules.md", "docs/structures.md", "tests/house/language_test.ts"];

/** The files that people read: code and pages, without recorded images. */
function textFiles(): string[] {
  const below = [...CODE, "tests", "docs"].flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
      .map((name) => join(directory, name))
  );
  return [...readdirSync(ROOT), ...below].filter((path) =>
    /\.(?:ts|md)$/.test(path) && !EXCEPT.includes(path)
  );
}

/** Text with each comment or paragraph in one line. */
function unwrapped(text: string): string {
  return text.replace(/\n\s*(?:\*(?!\/)|\/\/)?\s*/g, " ");
}

Deno.test("the text uses none of the phrases of an earlier version", () => {
  const found = textFiles().flatMap((path) => {
    const text = unwrapped(readFileSync(join(ROOT, path), "utf8"));
    return BANNED.flatMap(({ phrase, instead }) => {
      const hit = phrase.exec(text);
      return hit === null ? [] : [`${path}: instead of '${hit[0]}' write: ${instead}`];
    });
  });
  assertEquals(found, []);
});
