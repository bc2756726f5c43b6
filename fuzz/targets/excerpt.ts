import type { ByteSource } from "../../src/bytes/mod.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { excerptOf as excerptOfBytes, type Note } from "../../src/report/mod.ts";
import type { About } from "../engine/target.ts";
import { formatIn, type Kit } from "../formats/kit.ts";

/** What is said of an image without a passphrase, which is no fault of the image. */
const LOCKED = /\.key-present$/;

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
  const note = about === undefined ? undefined : noteOn(kit, source, about);
  if (note !== undefined) return excerptOfBytes(source, [note], { format });
  const { findings } = judgeImage(openBytes(source, format));
  return excerptOfBytes(source, findings.filter(({ rule }) => !LOCKED.test(rule)), { format });
}

const MESSAGE = "The answers differ about this";

/** Says what the difference is about, at its place in the file. */
function noteOn<Model>(
  kit: Kit<Model>,
  source: ByteSource,
  { path, offset, guestOffset }: About,
): Note | undefined {
  if (guestOffset !== undefined) {
    const entry = kit.entryAt?.(source, guestOffset);
    const message = `${MESSAGE}: guest offset 0x${guestOffset.toString(16)}`;
    return entry === undefined ? undefined : { ...entry, message };
  }
  if (offset !== undefined) return { path: path ?? "/", offset, message: MESSAGE };
  if (path === undefined) return undefined;
  const place = kit.placeOf?.(source, path);
  return place === undefined ? undefined : { ...place, message: `${MESSAGE}: ${path}` };
}
