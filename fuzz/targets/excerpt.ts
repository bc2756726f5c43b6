import type { ByteSource } from "../../src/bytes/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { excerptOf } from "../../src/report/mod.ts";

/** What is said of an image without a passphrase, which is no fault of the image. */
const LOCKED = /\.key-present$/;

/** The bytes of an image that its findings are about, annotated. No passphrase is tried for it. */
export function excerptOfImage(source: ByteSource, format: FormatName): string {
  const { findings } = judgeImage(openBytes(source, format));
  return excerptOf(source, findings.filter(({ rule }) => !LOCKED.test(rule)), { format });
}
