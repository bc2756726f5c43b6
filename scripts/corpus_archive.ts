/**
 * Writes the archive of the corpus for a release to `dist`, and its checksum as `sha256sum` prints it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { exportCorpus } from "../corpus/build/export/export.ts";
import { print } from "../src/cli/mod.ts";

const DIST = "dist/corpus";

if (import.meta.main) {
  await Deno.remove(DIST, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const { count, written } = exportCorpus([DIST, "--format", "tar"]);
  const sha256 = createHash("sha256").update(Deno.readFileSync(written)).digest("hex");
  const line = `${sha256}  ${basename(written)}`;
  Deno.writeTextFileSync(`${written}.sha256`, `${line}\n`);
  print(`${count} cases`);
  print(line);
}
