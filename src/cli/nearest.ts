/**
 * The candidate that a mistyped word most likely stands for: the one with the fewest letters put in,
 * left out or exchanged, if they are few enough for its length.
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

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** A suggestion to put behind an error: ` (did you mean --time?)`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>, prefix = ""): string {
  const suggestion = nearest(word, candidates);
  return suggestion === undefined ? "" : ` (did you mean ${prefix}${suggestion}?)`;
}
