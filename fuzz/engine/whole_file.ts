import { randomUUID } from "node:crypto";
import { renameSync, rmSync } from "node:fs";

/** Ends the names of files that are being written. */
export const PART = ".part";

/** Writes a file under a temporary name first, so that a partly written file never has the final name. */
export function writeWhole(path: string, write: (path: string) => void): void {
  const part = `${path}-${randomUUID()}${PART}`;
  try {
    write(part);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
