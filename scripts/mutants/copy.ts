import { type Placed, planted } from "./mutant.ts";

const COPIED = [
  ...["src", "fuzz", "exports", "scripts", "corpus", "golden", "docs"],
  ...["mod.ts", "deno.json", "deno.lock"],
];

/** The root of the project. */
export const ROOT: string = new URL("../..", import.meta.url).pathname;

/**
 * A copy of the project. The same copy serves one mutant after the other, so that only the changed file
 * is compiled again.
 */
export class ProjectCopy {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Copies the project into an empty directory, by hard links if the file system is the same one. */
  static async make(directory: string): Promise<ProjectCopy> {
    const sources = COPIED.map((name) => `${ROOT}${name}`);
    for (const how of ["-al", "-a"]) {
      const { success } = await new Deno.Command("cp", {
        args: [how, "-f", ...sources, directory],
        stderr: "null",
      }).output();
      if (success) return new ProjectCopy(directory);
    }
    throw new Error(`Cannot copy the project to ${directory}`);
  }

  /** Plants a bug while `work` runs. */
  async with<T>(mutant: Placed | undefined, work: () => Promise<T>): Promise<T> {
    if (mutant === undefined) return await work();
    const path = `${this.directory}/${mutant.file}`;
    const sound = Deno.readTextFileSync(path);
    replace(path, planted(mutant, sound));
    try {
      return await work();
    } finally {
      replace(path, sound);
    }
  }
}

/** Writes a new file, since the old one may be a link to that of the project. */
function replace(path: string, content: string): void {
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, content);
}
