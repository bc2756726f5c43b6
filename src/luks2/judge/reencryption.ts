import { shown } from "../findings.ts";
import type { Luks2Json, Segment } from "../json/description.ts";
import type { JsonJudge } from "../json/judge.ts";
import { isOnline, requirementsOf } from "../reencryption/requirements.ts";
import { isBackup } from "../segments/segments.ts";

/** Judges whether the header has everything that a reencryption in progress needs. */
export function judgeReencryption(json: Luks2Json, judge: JsonJudge): void {
  const { all, online } = requirementsOf(json);
  if (online) judgeBackups(json.segments, judge);
  const slots = json.keyslots.filter(({ type }) => type === "reencrypt").length;
  judge.must(
    online ? slots === 1 : slots <= (all.some(isOnline) ? 1 : 0),
    "luks2.reencryption.slots",
    "/keyslots",
    () =>
      `There are ${slots} key slots of type reencrypt, and the requirements are ` +
      `${all.slice(0, 3).map(shown).join(", ") || "none"}`,
  );
}

function judgeBackups(segments: readonly Segment[], judge: JsonJudge): void {
  const backups = segments.filter(isBackup);
  const final = backups.findLast(({ flags }) => flags.includes("backup-final"));
  const previous = backups.findLast(({ flags }) =>
    flags.includes("backup-previous") && !flags.includes("backup-final")
  );
  const fits = (segment: Segment): boolean =>
    isSame(segment, final) ||
    !segment.flags.includes("in-reencryption") && isSame(segment, previous);
  const other = segments.find((segment) => !isBackup(segment) && !fits(segment));
  judge.must(
    final !== undefined && previous !== undefined && other === undefined,
    "luks2.reencryption.segments",
    "/segments",
    () => {
      if (final === undefined) return "No segment has the flag backup-final";
      if (previous === undefined) return "No segment has the flag backup-previous";
      return `Segment ${other?.name} differs from both backup segments`;
    },
  );
}

function isSame(segment: Segment, other: Segment | undefined): boolean {
  if (segment.type !== other?.type) return false;
  return segment.type !== "crypt" ||
    segment.sector_size === other.sector_size && segment.encryption === other.encryption;
}
