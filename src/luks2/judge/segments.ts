import { UINT64_END } from "../geometry.ts";
import type { JsonNode, JsonObject } from "../json/value.ts";
import {
  inSectors,
  integer,
  member,
  members,
  numberOf,
  text,
  texts,
  uint64,
} from "../json/access.ts";
import { isFilled } from "./references.ts";
import type { JsonJudge } from "../findings.ts";
import { reencryptionOf, shiftOf } from "../reencryption/reencryption.ts";
import { isBackup, type Segment, segmentsOf } from "../segments/segments.ts";
import { judgeCrypt } from "./crypt.ts";

/** Judges the segments: each by itself, their order, and how they lie. */
export function judgeSegments(root: JsonObject, judge: JsonJudge): void {
  const segments = segmentsOf(root);
  const section = { node: member(root, "segments"), path: "/segments" };
  const regular = segments.filter(({ node }) => !isBackup(node));
  judge.must(
    regular.length > 0,
    "luks2.segment.any",
    section,
    () => segments.length === 0 ? "There is no segment" : "Every segment is a backup",
  );
  const digested = new Set(
    members(member(root, "digests")).flatMap(([, node]) => texts(member(node, "segments")) ?? []),
  );
  for (const segment of segments) {
    judgeFields(segment, judge);
    if (segment.type === "crypt") judgeCrypt(segment, judge, digested.has(segment.name));
  }
  judgeOrder(segments, judge, section);
  const reencryption = reencryptionOf(root);
  const moves = reencryption !== undefined && shiftOf(reencryption) > 0n;
  judgeOverlap(regular, judge, { moves });
}

function judgeFields({ name, node, offset, size }: Segment, judge: JsonJudge): void {
  const path = `/segments/${name}`;
  const flags = member(node, "flags");
  judge.must(
    flags === undefined || texts(flags) !== undefined,
    "luks2.segment.flags",
    { node: flags, path: `${path}/flags` },
    () => `The flags of segment ${name} are no array of strings`,
  );
  const complete = judge.must(
    ["type", "offset", "size"].every((field) => isFilled(member(node, field))),
    "luks2.segment.fields",
    { node, path },
    () => `Segment ${name} has no type, offset or size that is a string`,
  );
  if (!complete) return;
  const start = member(node, "offset");
  judge.must(
    uint64(start) !== undefined,
    "luks2.segment.offset",
    { node: start, path: `${path}/offset` },
    () => `The offset of segment ${name} is ${JSON.stringify(text(start)?.slice(0, 40))}`,
  );
  const length = member(node, "size");
  judge.must(
    text(length) === "dynamic" || size !== undefined && size > 0n,
    "luks2.segment.size",
    { node: length, path: `${path}/size` },
    () => `The size of segment ${name} is ${JSON.stringify(text(length)?.slice(0, 40))}`,
  );
  judge.must(
    inSectors(offset) && inSectors(size ?? 0n),
    "luks2.segment.alignment",
    { node: start, path },
    () => `Segment ${name} starts at byte ${offset} and has the size ${size ?? "dynamic"}`,
  );
}

/** Names without a gap, and backups behind the others: also in the JSON. */
function judgeOrder(
  segments: readonly Segment[],
  judge: JsonJudge,
  section: { node: JsonNode | undefined; path: string },
): void {
  const names = new Set(segments.map(({ name }) => name));
  const missing = segments.findIndex((_, index) => !names.has(String(index)));
  judge.must(
    missing < 0,
    "luks2.segment.order",
    section,
    () => `There are ${segments.length} segments, and none with the name ${missing}`,
  );
  let firstBackup = Infinity;
  for (const { name, node } of segments) {
    const number = numberOf(name);
    const backup = isBackup(node);
    judge.must(
      backup || number < firstBackup,
      "luks2.segment.order",
      { node, path: `/segments/${name}` },
      () => `Segment ${name} is none of the backups, and behind one`,
    );
    if (backup) firstBackup = Math.min(firstBackup, number);
  }
}

function judgeOverlap(
  regular: readonly Segment[],
  judge: JsonJudge,
  { moves }: { moves: boolean },
): void {
  const byName = regular.toSorted((a, b) => numberOf(a.name) - numberOf(b.name));
  for (const { name, node, size } of byName.slice(0, -1)) {
    judge.must(
      size !== undefined,
      "luks2.segment.overlap",
      { node, path: `/segments/${name}` },
      () => `Segment ${name} is dynamic, and not the last one`,
    );
  }
  for (const { name, node, offset, size = 0n } of regular.length > 1 ? regular : []) {
    judge.must(
      offset + size < UINT64_END,
      "luks2.segment.overlap",
      { node, path: `/segments/${name}` },
      () => `Segment ${name} ends at byte ${offset + size}, past 2^64`,
    );
  }
  const byOffset = regular.toSorted((a, b) => a.offset < b.offset ? -1 : 1);
  byOffset.slice(1).forEach(({ name, node, offset }, index) => {
    const before = byOffset[index] as Segment;
    const end = before.offset + (before.size ?? 0n);
    const at = { node, path: `/segments/${name}` };
    judge.must(
      before.size !== undefined && offset >= end && offset > before.offset,
      "luks2.segment.overlap",
      at,
      () => `Segment ${name} starts at byte ${offset}, inside segment ${before.name}`,
    );
    judge.must(
      moves || before.size === undefined || offset <= end,
      "luks2.segment.gap",
      at,
      () => `Segment ${name} starts at byte ${offset}, and segment ${before.name} ends at ${end}`,
    );
  });
}

/** Whether a value is an integer. */
export function isInteger(node: JsonNode | undefined): boolean {
  return integer(node) !== undefined;
}
