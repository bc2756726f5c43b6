import type { Digest, Luks2Json, Segment } from "../json/description.ts";

/** Whether a segment is kept for a reencryption, and is not one of the data. */
export function isBackup({ flags }: Segment): boolean {
  return flags.some((flag) => flag.startsWith("backup-"));
}

/** The segments of the data in their order. */
export function dataSegments({ segments }: Luks2Json): Segment[] {
  return segments.filter((segment) => !isBackup(segment)).sort((a, b) => a.number - b.number);
}

/**
 * The segment whose key opens the volume: the first one, and during a reencryption the one that says
 * what the data becomes.
 */
export function defaultSegment({ segments }: Luks2Json): Segment | undefined {
  const number = segments.find(({ flags }) => flags.includes("backup-final"))?.number ?? 0;
  return segments.find(({ name }) => name === String(number));
}

/** The digests of the keys of all segments by their names: the first one that names each. */
export function digestsOfSegments({ digests }: Luks2Json): ReadonlyMap<string, Digest> {
  return firstByName(digests, ({ segments }) => segments);
}

/** The digests of the keys in all key slots by their names: the first one that names each. */
export function digestsOfKeyslots({ digests }: Luks2Json): ReadonlyMap<string, Digest> {
  return firstByName(digests, ({ keyslots }) => keyslots);
}

function firstByName(
  digests: readonly Digest[],
  namesOf: (digest: Digest) => readonly string[],
): ReadonlyMap<string, Digest> {
  // Of two entries with one name, a map keeps the last one.
  return new Map(
    digests.toReversed().flatMap((digest) => namesOf(digest).map((name) => [name, digest])),
  );
}
