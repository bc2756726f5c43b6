import { withPassphraseFiles } from "../tool/secrets.ts";
import { optionValue } from "./names.ts";

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
