import { createHash } from "node:crypto";
import type { DigestReport } from "../peer.ts";

const CHUNK = 1024 * 1024;

/** SHA-256 of a whole file, read piece by piece. */
export function digestFile(path: string): DigestReport {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK);
  let length = 0;
  using file = Deno.openSync(path);
  for (let count = file.readSync(chunk); count !== null; count = file.readSync(chunk)) {
    hash.update(chunk.subarray(0, count));
    length += count;
  }
  return { sha256: hash.digest("hex"), length };
}
