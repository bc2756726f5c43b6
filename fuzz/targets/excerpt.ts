import type { ByteSource } from "../../src/bytes/mod.ts";
import { type Format, Marks } from "../../src/format/mod.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { excerptOf as excerptOfBytes, type Note } from "../../src/report/mod.ts";
import type { About } from "../engine/mod.ts";
import { formatIn, type Kit } from "../formats/mod.ts";

/** What is said of an image without a passphrase, which is no fault of the image. */
const LOCKED = /\.key-present$/;
/** Rows around the first one of a structure: all of most structures. */
const STRUCTURE = 16;
const BOUNDS = { rows: 256, tables: 64, entries: 2 ** 20, marks: new Marks([]) };
const MESSAGE = "The answers differ about this";

/**
 * The bytes of an image that a failure is about, annotated; where it does not say, those that the
 * findings of the image are about. No passphrase is tried for it.
 */
export function excerptOf<Model>(
  kit: Kit<Model>,
  source: ByteSource,
  { about, model }: { about?: About | undefined; model?: Model } = {},
): string {
  const format = model === undefined ? kit.format : formatIn(kit, model);
  if (about?.path !== undefined && about.offset === undefined) {
    const notes = structureNotes(kit, { source, format, path: about.path });
    return excerptOfBytes(source, notes, { format, context: STRUCTURE });
  }
  const entry = about === undefined ? undefined : entryNote(kit, source, about);
  if (entry !== undefined) return excerptOfBytes(source, [entry], { format });
  const { findings } = judgeImage(openBytes(source, format));
  return excerptOfBytes(source, findings.filter(({ rule }) => !LOCKED.test(rule)), { format });
}

/** The entry of a table that a byte of the disk comes from, or a byte of the file. */
function entryNote<Model>(
  kit: Kit<Model>,
  source: ByteSource,
  { path = "/", offset, guestOffset }: About,
): Note | undefined {
  if (offset !== undefined) return { path, offset, message: MESSAGE };
  const entry = guestOffset === undefined ? undefined : kit.entryAt?.(source, guestOffset);
  if (entry === undefined) return undefined;
  return { ...entry, message: `${MESSAGE}: guest offset 0x${guestOffset?.toString(16)}` };
}

/** The start of the structure that a part of an answer comes from; none for the header, which is shown. */
function structureNotes<Model>(
  { answerPaths = [] }: Kit<Model>,
  { source, format, path }: { source: ByteSource; format: Format; path: string },
): Note[] {
  const [known] = answerPaths.filter(([pattern]) => pattern.test(path));
  if (known === undefined) return [];
  const [pattern, place] = known;
  const wanted = (pattern.exec(path)?.[0] ?? "").replace(pattern, place);
  const rows = format.driver.anatomy(source, BOUNDS).parts.flatMap((part) => [...part.rows]);
  const row = rows.find((it) => it.path === wanted || it.path.startsWith(`${wanted}/`));
  if (row === undefined) return [];
  return [{ path: row.path, offset: row.offset, message: `${MESSAGE}: ${path}` }];
}
