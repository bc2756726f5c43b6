import { optionValue } from "./names.ts";
import { withScratch } from "./scratch.ts";

/** Nobody else on the machine may read a passphrase. */
const PRIVATE = 0o600;

/**
 * Hands passphrases to `use` as files of a private scratch directory, one each, without a line break at
 * the end, and removes them afterwards. So they stand in no list of processes.
 */
export async function withPassphraseFiles<T>(
  passphrases: readonly string[],
  use: (paths: readonly string[]) => Promise<T>,
  parent?: string,
): Promise<T> {
  return await withScratch(async (directory) => {
    const paths = passphrases.map((passphrase, index) => {
      const path = `${directory}/passphrase-${index}`;
      Deno.writeFileSync(path, new TextEncoder().encode(passphrase), { mode: PRIVATE });
      return path;
    });
    return await use(paths);
  }, parent);
}

/**
 * Hands passphrases to `use` as arguments that define the secrets of a QEMU tool; `secretId` names
 * them. The tool reads the files when it starts.
 */
export async function withSecrets<T>(
  passphrases: readonly string[],
  use: (objects: readonly string[]) => Promise<T>,
  parent?: string,
): Promise<T> {
  if (passphrases.length === 0) return await use([]);
  const objects = (paths: readonly string[]) =>
    paths.flatMap((path, index) => {
      return ["--object", `secret,id=${secretId(index, passphrases)},file=${optionValue(path)}`];
    });
  return await withPassphraseFiles(passphrases, (paths) => use(objects(paths)), parent);
}

/** The secret of an image by its depth in a chain: the last one is that of all further images. */
export function secretId(depth: number, passphrases: readonly string[]): string {
  return `s${Math.min(depth, passphrases.length - 1)}`;
}

/** A passphrase as short as this may be part of any message. */
const SHORT = 3;
const HIDDEN = "(passphrase)";

/** A message without the passphrases that a tool has repeated; short ones where they stand alone. */
export function scrubbed(message: string, passphrases: readonly string[] = []): string {
  // Longer ones first: one passphrase may be part of another.
  const longestFirst = passphrases.filter((it) => it !== "").sort((a, b) => b.length - a.length);
  return longestFirst.reduce((text, passphrase) => {
    if (passphrase.length > SHORT) return text.replaceAll(passphrase, HIDDEN);
    const escaped = passphrase.replace(
      /[^\p{L}\p{N}]/gu,
      (it) => `\\u{${it.codePointAt(0)?.toString(16)}}`,
    );
    return text.replace(
      new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "gu"),
      HIDDEN,
    );
  }, message);
}
