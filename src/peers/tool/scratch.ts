/** Where scratch files go, in order: memory where the system offers it, else temporary files. */
const PARENTS = ["/dev/shm", "/tmp", undefined];
const PREFIX = "diskproof-";

/** Makes a scratch directory, in `parent` where one is given; the caller removes it. */
export async function makeScratchDirectory(parent?: string): Promise<string> {
  if (parent !== undefined) return await Deno.makeTempDir({ dir: parent, prefix: PREFIX });
  let failure: unknown;
  for (const dir of PARENTS) {
    try {
      return await Deno.makeTempDir(
        dir === undefined ? { prefix: PREFIX } : { dir, prefix: PREFIX },
      );
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Hands a scratch directory to `use` and removes it afterwards. */
export async function withScratch<T>(
  use: (directory: string) => Promise<T>,
  parent?: string,
): Promise<T> {
  const directory = await makeScratchDirectory(parent);
  try {
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
