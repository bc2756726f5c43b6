/** Number of items processed at a time: one per processor and one that waits. */
const WORKERS_MAX = 4;

/**
 * Works on items in their order, a few of them at a time. After a failure no further item is
 * started, and the first error is thrown after the running items have ended.
 */
export async function fewAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  workers: number = Math.min(WORKERS_MAX, navigator.hardwareConcurrency + 1),
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
  await Promise.all(Array.from({ length: workers }, worker));
  if (failures.length > 0) throw failures[0];
}
