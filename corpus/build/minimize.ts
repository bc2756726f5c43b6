/** Makes an image smaller while the same can be said of it. */

import { isZero, MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { type Expectation, expectationOf } from "../../src/expect/mod.ts";
import { openFiles } from "../../src/image/mod.ts";
import type { Finding } from "../../src/rules/mod.ts";
import type { Given } from "./given.ts";

/** Bytes that become zeros together, at the end. */
const PIECE_MIN = 512;
/** A new case should take seconds. */
const MINIMIZE_MS = 20_000;

/** What is found in an image, and what is expected of an implementation. */
export function judged(
  files: Given["files"],
  { format, passphrases }: Pick<Given, "format" | "passphrases">,
): { readonly findings: readonly Finding[]; readonly expected: readonly Expectation[] } {
  const sources = new Map([...files].map(([name, bytes]) => [name, new MemorySource(bytes)]));
  const image = openFiles(sources, format, { passphrases: passphrases.map(utf8) });
  try {
    const expect = expectationOf(image);
    const findings = image.findings.list();
    const expected = (["digest", "map", "info", "check"] as const).map((use) => expect({ use }));
    return { findings, expected };
  } finally {
    image.close();
  }
}

/** What must not change: the rules that are broken, and what is expected. */
function gist(given: Given): string {
  const { findings, expected } = judged(given.files, given);
  return JSON.stringify([[...new Set(findings.map(({ rule }) => rule))].sort(), expected]);
}

/** The same image with zeros instead of bytes that decide nothing. */
export function smaller(given: Given): Given {
  const [[name, whole] = ["", new Uint8Array()], ...others] = given.files;
  const wanted = gist(given);
  const end = performance.now() + MINIMIZE_MS;
  const of = (bytes: Uint8Array): Given => ({
    ...given,
    files: new Map([[name, bytes], ...others]),
  });
  let best = whole;
  for (let piece = largestPiece(whole.length); piece >= PIECE_MIN; piece /= 2) {
    for (let at = 0; at < whole.length; at += piece) {
      if (isZero(best.subarray(at, at + piece))) continue;
      if (performance.now() > end) return of(best);
      const candidate = new Uint8Array(best);
      candidate.fill(0, at, at + piece);
      if (gist(of(candidate)) === wanted) best = candidate;
    }
  }
  return of(best);
}

function largestPiece(length: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(PIECE_MIN, length)));
}
