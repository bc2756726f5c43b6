/** The source files of the repository, and what they import. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

/** The folder of the repository. */
export const ROOT = new URL("../..", import.meta.url).pathname;

/** The folders with code, without the tests. */
export const CODE = ["exports", "src", "fuzz", "corpus", "golden", "scripts"] as const;

/** A source file. */
export interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** The source files below directories. */
export function sourceFiles(...directories: readonly string[]): SourceFile[] {
  return directories.flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, "utf8") }))
  );
}

/** Text without comments. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Text without comments and without what is in quotes. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** The files that a file imports, relative to the repository; types included. */
export function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...withoutComments(text).matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)];
  return specifiers.map(([, specifier]) =>
    relative(ROOT, resolve(ROOT, path, "..", specifier as string))
  );
}
