import type { ByteSource } from "../../src/bytes/mod.ts";
import type { FormatName } from "../../src/format/mod.ts";
import { judgeImage, openBytes } from "../../src/image/mod.ts";
import { excerptOf } from "../../src/report/mod.ts";

/** The bytes of an image that its findings are about, annotated. */
export function excerptOfImage(source: ByteSource, format: FormatName): string {
  return excerptOf(source, judgeImage(openBytes(source, format)).findings, { format });
}
