import type { ByteSource } from "../bytes/mod.ts";
import type { Broken, Format } from "../format/mod.ts";
import { foreignFormats, formats } from "../formats.ts";
import { rawFormat } from "../raw/mod.ts";

/** Bytes that probing looks at. */
export const PROBE_BYTES = 512;
/** QEMU's score of a format that is recognised by a signature. */
const CERTAIN = 100;

/** The facts that probing uses besides the bytes of a file. */
export interface ProbeOptions {
  /** The formats that are read; those of `formats.ts` where it is absent. */
  readonly formats?: readonly Format[] | undefined;
  /** The name of the file: DMG images are recognised by it alone. */
  readonly name?: string | undefined;
}

/**
 * The format that QEMU's probing finds, which may be a foreign one: the one with the highest score, and
 * the first of those. An empty file is raw.
 */
export function probe(source: ByteSource, options: ProbeOptions = {}): Format {
  const { formats: among = formats, name } = options;
  if (source.size === 0) return rawFormat;
  const head = source.read(0, PROBE_BYTES);
  let best = rawFormat as Format;
  for (const format of [...foreignFormats, ...among]) {
    if (scoreOf(format) > scoreOf(best) && format.driver.probe(head, name)) best = format;
  }
  return best;
}

/** Why QEMU treats a raw image as one, although it looks like an image of other formats. */
export function nearMisses(
  { definition, source }: { readonly definition: Format; readonly source: ByteSource },
): Broken[] {
  if (definition !== rawFormat) return [];
  const head = source.read(0, PROBE_BYTES);
  return formats.flatMap(({ driver }) => driver.nearMiss?.(head) ?? []);
}

function scoreOf({ driver: { score = CERTAIN } }: Format): number {
  return score;
}

/** The format of a file, whichever tool opens it: to QEMU LUKS version 2 is raw. */
export function detect(source: ByteSource, options: ProbeOptions = {}): Format {
  const { formats: among = formats } = options;
  return among.find(({ driver }) => driver.detect?.(source) === true) ?? probe(source, options);
}
