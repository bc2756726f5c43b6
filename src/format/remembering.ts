/**
 * A function of one JSON value that caches its results up to a limit.
 *
 * @param make depends on its argument alone; its results are not written to
 */
export function remembering<Argument, Result>(
  make: (argument: Argument) => Result,
  { sizeOf, sizeMax }: { sizeOf: (result: Result) => number; sizeMax: number },
): (argument: Argument) => Result {
  const made = new Map<string, Result>();
  let size = 0;
  return (argument) => {
    const key = JSON.stringify(argument);
    const known = made.get(key);
    if (known !== undefined) return known;
    const result = make(argument);
    if (size > sizeMax) {
      made.clear();
      size = 0;
    }
    made.set(key, result);
    size += sizeOf(result);
    return result;
  };
}
