/** Things that are worked on at a time: as many as there are processors, and one more that waits. */
const WORKERS_MAX = 4;

/**
 * Works on items in their order, a few of them at a time. After a failure none is begun any more, and
 * the first one is thrown once what is under way has ended.
 */
export async function fewAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const item of rest) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const workers = Math.min(WORKERS_MAX, navigator.hardwareConcurrency + 1);
  await Promise.all(Array.from({ length: workers }, worker));
  if (failures.length > 0) throw failures[0];
}
