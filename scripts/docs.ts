/**
 * Writes the pages that follow from the catalogue of rules, the descriptions of structures and the
 * protocol of adapters.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { parseOptions, print, UsageError } from "../src/cli/mod.ts";
import { protocolSchema } from "../src/peers/mod.ts";
import { adapterPage } from "./docs/adapter_page.ts";
import { rulesPage } from "./docs/rules_page.ts";
import { structuresPage } from "./docs/structures_page.ts";

/** The text of `--help`. */
export const help =
  `Write docs/rules.md, docs/structures.md, docs/schemas, and the table of features in
docs/adapter.md.

Usage: deno task docs [--check]

Options:
  --check   write nothing; exit status 1 if a page is stale
  --help    this text

Example:
  deno task docs --check
`;

/** The generated pages, by their path in the repository. */
export function pages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/rules.md", rulesPage()],
    ["docs/structures.md", structuresPage()],
    ["docs/adapter.md", adapterPage(textOf("docs/adapter.md") ?? "")],
    ["docs/schemas/adapter-1.json", `${JSON.stringify(protocolSchema(), undefined, 2)}\n`],
  ]);
}

/**
 * Runs a command line.
 *
 * @returns the exit status
 */
export function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { flags: ["check"] });
  if (options.positional.length > 0) throw new UsageError("docs takes no arguments");
  const stale = [...pages()].filter(([path, text]) => textOf(path) !== text);
  if (!options.flag("check")) {
    for (const [path, text] of stale) writeFileSync(placeOf(path), text);
  }
  for (const [path] of stale) print(`${path}: ${options.flag("check") ? "stale" : "written"}\n`);
  return Promise.resolve(options.flag("check") && stale.length > 0 ? 1 : 0);
}

function placeOf(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(placeOf(path), "utf8");
  } catch {
    return undefined;
  }
}
