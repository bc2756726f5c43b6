/** A choice for each of several dimensions. */
export type Choice<D extends Readonly<Record<string, readonly unknown[]>>> = {
  readonly [K in keyof D]: D[K][number];
};

/**
 * Choices in which any two values of two dimensions stand together, as far as the sound ones among all
 * choices have them together: the bugs of options are nearly always those of one or of two of them.
 */
export function pairwise<D extends Readonly<Record<string, readonly unknown[]>>>(
  dimensions: D,
  isSound: (choice: Choice<D>) => boolean,
): Choice<D>[] {
  const sound = product(dimensions).filter(isSound)
    .map((choice) => ({ choice, pairs: pairsOf(dimensions, choice) }));
  const open = new Set(sound.flatMap(({ pairs }) => pairs));
  const chosen: Choice<D>[] = [];
  for (const pair of open) {
    const holding = sound.filter(({ pairs }) => pairs.includes(pair));
    const news = holding.map(({ pairs }) => pairs.filter((one) => open.has(one)).length);
    const best = holding[news.indexOf(Math.max(...news))];
    if (best === undefined) continue;
    chosen.push(best.choice);
    for (const one of best.pairs) open.delete(one);
  }
  return chosen;
}

function product<D extends Readonly<Record<string, readonly unknown[]>>>(
  dimensions: D,
): Choice<D>[] {
  const choices = Object.entries(dimensions).reduce<Record<string, unknown>[]>(
    (sofar, [name, values]) =>
      sofar.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value }))),
    [{}],
  );
  return choices as Choice<D>[];
}

/** Values of a dimension at most. */
const VALUES_MAX = 64;

/** Each two values of a choice as one number. */
function pairsOf<D extends Readonly<Record<string, readonly unknown[]>>>(
  dimensions: D,
  choice: Choice<D>,
): number[] {
  const values = Object.entries(dimensions).map(([name, all], i) =>
    i * VALUES_MAX + all.indexOf(choice[name])
  );
  const width = values.length * VALUES_MAX;
  return values.flatMap((value, i) => values.slice(0, i).map((other) => value * width + other));
}
