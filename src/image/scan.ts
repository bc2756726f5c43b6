import type { ByteSource } from "../bytes/mod.ts";
import type { Confidence, Format, KnownFacts, Remains } from "../format/mod.ts";
import { formats as allFormats } from "../formats.ts";

const ORDER: readonly Confidence[] = ["certain", "likely", "possible"];

/**
 * What a file shows of an image whose header is damaged or lost, of any format, the surest first.
 *
 * @param known what the file may no longer contain
 */
export function scanFile(
  source: ByteSource,
  known: KnownFacts = {},
  formats: readonly Format[] = allFormats,
): Remains[] {
  return formats.flatMap(({ driver }) => driver.scan?.(source, known) ?? [])
    .toSorted((a, b) => ORDER.indexOf(a.confidence) - ORDER.indexOf(b.confidence));
}

/** Signs of a lost header that cost next to nothing to find, one sentence each. */
export function hintsOf(source: ByteSource, formats: readonly Format[] = allFormats): string[] {
  return formats.flatMap(({ driver }) => driver.hint?.(source) ?? []);
}
