import type { CaseFile } from "../engine/mod.ts";

/** The files of one of several images, with its number in front of their extensions. */
export function numberedFiles(files: readonly CaseFile[], index: number): CaseFile[] {
  return files.map(({ name, source }) => ({
    name: name.replace(/(\.[^.]*)?$/, (extension) => `-${index}${extension}`),
    source,
  }));
}
