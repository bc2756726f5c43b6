/**
 * Writes the npm package: the library and the read-only verbs as JavaScript for Node.
 *
 * Usage: deno task npm [FOLDER]
 *
 * @module
 */

import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("..", import.meta.url).pathname;
const BIN = "scripts/npm/bin.ts";
/** Entry points that start tools or use the terminal, and therefore require Deno. */
const DENO_ONLY = ["./cli", "./peers"];

const entries = Object.entries(config.exports).filter(([name]) => !DENO_ONLY.includes(name));

/**
 * Writes the package into an empty folder.
 *
 * @throws {Error} when a file cannot be written, or imports what is no dependency
 */
function writePackage(folder: string): void {
  const packages = new Set<string>();
  for (const [path, text] of emitted()) {
    for (const name of packagesIn(text)) packages.add(name);
    write(join(folder, path), path.endsWith(".d.ts") ? withJsNames(text) : text);
  }
  write(join(folder, "deno.json"), JSON.stringify({ version: config.version }));
  write(join(folder, "package.json"), JSON.stringify(manifest([...packages]), null, 2) + "\n");
  for (const file of ["LICENSE", "CHANGELOG.md"]) {
    copyFileSync(join(ROOT, file), join(folder, file));
  }
  copyFileSync(join(ROOT, "scripts/npm/README.md"), join(folder, "README.md"));
  chmodSync(join(folder, jsName(BIN)), 0o755);
}

/** JavaScript and declarations, by their paths in the package. Types are checked by `deno check`. */
function emitted(): Map<string, string> {
  const files = [...entries.map(([, file]) => file), BIN].map((file) => join(ROOT, file));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noCheck: true,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    resolveJsonModule: true,
    rootDir: ROOT,
    outDir: "/",
  });
  const texts = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (path, text) => texts.set(path.slice(1), text));
  const [first] = diagnostics;
  if (first !== undefined) {
    throw new Error(ts.flattenDiagnosticMessageText(first.messageText, "\n"));
  }
  const bin = texts.get(jsName(BIN)) ?? "";
  return texts.set(jsName(BIN), `#!/usr/bin/env node\n${bin}`);
}

/** TypeScript leaves the names of files in declarations as they are. */
function withJsNames(text: string): string {
  return text.replaceAll(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"');
}

function jsName(file: string): string {
  return file.replace(/\.ts$/, ".js");
}

/** The names in deno.json of the packages that a module imports. */
function packagesIn(text: string): string[] {
  const specifiers = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => !/^(\.|node:)/.test(specifier));
  return specifiers.map((specifier) => {
    const found = Object.keys(config.imports).find((key) =>
      key === specifier || key.endsWith("/") && specifier.startsWith(key)
    );
    if (found === undefined) {
      throw new Error(`Cannot find ${specifier} in the imports of deno.json`);
    }
    return found;
  });
}

function manifest(packages: readonly string[]): Record<string, unknown> {
  const imports: Readonly<Record<string, string>> = config.imports;
  const dependencies = packages.toSorted().map((name) => {
    const [, target = "", version = ""] = /^npm:\/?(.+)@([\d.]+)\/?$/.exec(imports[name] ?? "") ??
      [];
    return [target, version];
  });
  const exported = entries.map(([name, file]) => {
    const path = file.replace(/^\.\//, "").replace(/\.ts$/, "");
    return [name, { types: `./${path}.d.ts`, default: `./${path}.js` }];
  });
  return {
    name: config.name,
    version: config.version,
    description: "Reads and judges qcow, qcow2 and LUKS images as qemu-img and cryptsetup do",
    license: config.license,
    type: "module",
    engines: { node: ">=20.16" },
    bin: { diskproof: jsName(BIN) },
    exports: Object.fromEntries(exported),
    dependencies: Object.fromEntries(dependencies),
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (import.meta.main) {
  const [folder = join(ROOT, "dist/npm")] = Deno.args;
  if (Deno.args.length === 0) rmSync(folder, { recursive: true, force: true });
  writePackage(folder);
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  Deno.stdout.writeSync(new TextEncoder().encode(`${folder}: ${name}@${version}\n`));
}
