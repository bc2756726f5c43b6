import { SECTOR } from "../bytes/mod.ts";
import { type BuiltFiles, type GuestContent, patternBytes, wholeContent } from "../format/mod.ts";
import type { RawModel } from "./model.ts";

/** The file of a model. */
export function buildRaw({ size, pattern }: RawModel): BuiltFiles {
  const segments = [{ offset: 0, bytes: patternBytes(pattern, size) }];
  return { image: { segments, size, placed: [] } };
}

/** The guest content: the file, and zeros up to the end of its last sector. */
export function rawContent({ size, pattern }: RawModel): GuestContent {
  const bytes = new Uint8Array(Math.ceil(size / SECTOR) * SECTOR);
  bytes.set(patternBytes(pattern, size));
  return wholeContent(bytes);
}
