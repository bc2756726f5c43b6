import { utf8 } from "../../bytes/mod.ts";
import { withScratch, writeScratchFile } from "./scratch.ts";

/** Nobody else on the machine may read a passphrase. */
const PRIVATE = 0o600;

/**
 * Hands passphrases to `use` as files of a private scratch directory, one each, without a line break at
 * the end, and removes them afterwards. So no list of processes shows them.
 */
export async function withPassphraseFiles<T>(
  passphrases: readonly string[],
  use: (paths: readonly string[]) => Promise<T>,
  parent?: string,
): Promise<T> {
  return await withScratch(async (directory) => {
    const paths = passphrases.map((passphrase, index) => {
      const path = `${directory}/passphrase-${index}`;
      writeScratchFile(path, utf8(passphrase), { mode: PRIVATE });
      return path;
    });
    return await use(paths);
  }, parent);
}

/** A passphrase as short as this may be part of any message. */
const SHORT = 3;
const HIDDEN = "(passphrase)";

/** A message without the passphrases that a tool has repeated; short ones only as whole words. */
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
