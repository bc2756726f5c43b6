import type { ByteSource } from "../../src/bytes/mod.ts";
import { type AnatomyRow, type Format, Marks } from "../../src/format/mod.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { excerptOf as excerptOfBytes, type Note } from "../../src/report/mod.ts";
import type { About } from "../engine/mod.ts";
import { formatIn, type Kit } from "../formats/mod.ts";

/** What is said of an image without a passphrase, which is no fault of the image. */
const LOCKED = /\.key-present$/;
/** Rows around the first one of a structure: all of most structures. */
const STRUCTURE = 16;
const BOUNDS = { rows: 256, tables: 64, entries: 2 ** 20, marks: new Marks([]) };
/** Rows about the first segment of a volume. */
const CONTENT_ROWS = 4;
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
  const notes = about === undefined ? [] : placeNotes(kit, { source, format, about });
  if (notes.length > 0) return excerptOfBytes(source, notes, { format });
  const { findings } = judgeImage(openBytes(source, format));
  return excerptOfBytes(source, findings.filter(({ rule }) => !LOCKED.test(rule)), { format });
}

/** A byte of the file, or what says how a byte of the disk is stored. */
function placeNotes<Model>(
  kit: Kit<Model>,
  { source, format, about: { path = "/", offset, guestOffset } }: {
    source: ByteSource;
    format: Format;
    about: About;
  },
): Note[] {
  if (offset !== undefined) return [{ path, offset, message: MESSAGE }];
  if (guestOffset === undefined) return [];
  const { contentPaths } = kit;
  const entries = contentPaths === undefined
    ? kit.entriesAt?.(source, guestOffset) ?? []
    : rowsOf(format, source).filter((row) => contentPaths.test(row.path)).slice(0, CONTENT_ROWS);
  const at = `${MESSAGE}: guest offset 0x${guestOffset.toString(16)}`;
  const stored = storedText(source, format, guestOffset);
  return entries.map(({ path, offset }, index) => ({
    path,
    offset,
    message: index === entries.length - 1 ? `${at}${stored}` : `${path} is used for it`,
  }));
}

/** How an image stores a byte of its disk, in words. */
function storedText(source: ByteSource, format: Format, guestOffset: number): string {
  const { layer } = openBytes(source, format);
  if (layer === undefined) return "";
  const [run] = layer.runs(guestOffset, guestOffset + 1);
  const { "format-specific": specific } = layer.info();
  const encryption = specific?.data["encrypt"] as { readonly format?: string } | undefined;
  const words = [
    run?.kind,
    ...(run?.host === undefined ? [] : [`host offset 0x${run.host.toString(16)}`]),
    ...(layer.dataFile === undefined ? [] : ["in the data_file"]),
    ...(layer.encrypted ? [`encrypted (${encryption?.format ?? layer.format})`] : []),
    ...(run?.kind === "unallocated" && layer.backing !== undefined ? ["of the backing file"] : []),
  ];
  return `, ${words.filter((word) => word !== undefined).join(", ")}`;
}

function rowsOf(format: Format, source: ByteSource): AnatomyRow[] {
  return format.driver.anatomy(source, BOUNDS).parts.flatMap((part) => [...part.rows]);
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
  const row = rowsOf(format, source).find((it) =>
    it.path === wanted || it.path.startsWith(`${wanted}/`)
  );
  if (row === undefined) return [];
  return [{ path: row.path, offset: row.offset, message: `${MESSAGE}: ${path}` }];
}
