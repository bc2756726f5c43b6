import { SECTOR } from "../../bytes/mod.ts";
import { UINT64_END } from "../geometry.ts";
import type { Luks2Json, Segment } from "../json/description.ts";
import type { JsonJudge } from "../json/judge.ts";
import { type Reencryption, shiftOf } from "../reencryption/reencryption.ts";
import { isBackup } from "../segments/segments.ts";

/** Judges the segments with their digests, their order and their locations. */
export function judgeSegments(
  { segments, digests }: Luks2Json,
  reencryption: Reencryption | undefined,
  judge: JsonJudge,
): void {
  const regular = segments.filter((segment) => !isBackup(segment));
  judge.must(
    regular.length > 0,
    "luks2.segment.any",
    "/segments",
    () => segments.length === 0 ? "There are no segments" : "All segments are backups",
  );
  const digested = new Set(digests.flatMap((digest) => digest.segments));
  for (const segment of segments) {
    if (segment.type === "crypt") judgeCrypt(segment, judge, digested.has(segment.name));
  }
  judgeOrder(segments, judge);
  judgeExtents(regular, judge);
  judgeOverlap(regular, judge, { moves: reencryption !== undefined && shiftOf(reencryption) > 0n });
}

function judgeCrypt(
  { name, size = 0n, sector_size }: Segment,
  judge: JsonJudge,
  digested: boolean,
): void {
  const sectors = sector_size > 0 && sector_size % SECTOR === 0;
  judge.must(
    !sectors || size % BigInt(sector_size) === 0n,
    "luks2.crypt.size-in-sectors",
    `/segments/${name}/size`,
    () => `size of segment ${name} is ${size}, not a multiple of its sector_size, ${sector_size}`,
  );
  judge.must(
    digested,
    "luks2.crypt.digest",
    `/segments/${name}`,
    () => `No digest names segment ${name}`,
  );
}

/** Judges that numbers have no gaps and that backups come last, in the order of the JSON too. */
function judgeOrder(segments: readonly Segment[], judge: JsonJudge): void {
  const names = new Set(segments.map(({ name }) => name));
  const missing = segments.findIndex((_, index) => !names.has(String(index)));
  judge.must(
    missing < 0,
    "luks2.segment.order",
    "/segments",
    () => `There are ${segments.length} segments, but no segment ${missing}`,
  );
  let firstBackup = Infinity;
  for (const segment of segments) {
    const { name, number } = segment;
    const backup = isBackup(segment);
    judge.must(
      backup || number < firstBackup,
      "luks2.segment.order",
      `/segments/${name}`,
      () => `Segment ${name} is not a backup, but follows the backup segment ${firstBackup}`,
    );
    if (backup) firstBackup = Math.min(firstBackup, number);
  }
}

/** Only the last segment is dynamic, and none ends past 2^64. */
function judgeExtents(regular: readonly Segment[], judge: JsonJudge): void {
  for (const { name, size } of regular.toSorted((a, b) => a.number - b.number).slice(0, -1)) {
    judge.must(
      size !== undefined,
      "luks2.segment.overlap",
      `/segments/${name}`,
      () => `Segment ${name} is dynamic, but not the last one`,
    );
  }
  for (const { name, offset, size = 0n } of regular.length > 1 ? regular : []) {
    judge.must(
      offset + size < UINT64_END,
      "luks2.segment.overlap",
      `/segments/${name}`,
      () => `Segment ${name} ends at byte ${offset + size}, past 2^64`,
    );
  }
}

function judgeOverlap(
  regular: readonly Segment[],
  judge: JsonJudge,
  { moves }: { moves: boolean },
): void {
  const byOffset = regular.toSorted((a, b) => a.offset < b.offset ? -1 : 1);
  byOffset.slice(1).forEach(({ name, offset }, index) => {
    const before = byOffset[index] as Segment;
    const end = before.offset + (before.size ?? 0n);
    judge.must(
      before.size !== undefined && offset >= end && offset > before.offset,
      "luks2.segment.overlap",
      `/segments/${name}`,
      () => `Segment ${name} starts at byte ${offset}, inside segment ${before.name}`,
    );
    judge.must(
      moves || before.size === undefined || offset <= end,
      "luks2.segment.gap",
      `/segments/${name}`,
      () => `Segment ${name} starts at byte ${offset}, but segment ${before.name} ends at ${end}`,
    );
  });
}
