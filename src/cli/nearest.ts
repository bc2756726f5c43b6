/**
 * The candidate that a mistyped word most likely means: the one with the fewest letters inserted, deleted
 * or replaced, if these are few for its length.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < least && distance <= Math.max(1, candidate.length / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, with a swap of two adjacent letters as one change. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? (before[j - 2] as number) + 1
        : Infinity;
      next.push(
        Math.min(replaced, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1),
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] as number;
}

/** A suggestion to add to an error: ` (did you mean --time?)`, or nothing. */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
  prefix = "",
  suffix = "",
): string {
  const suggestion = nearest(word, candidates);
  return suggestion === undefined ? "" : ` (did you mean ${prefix}${suggestion}${suffix}?)`;
}
