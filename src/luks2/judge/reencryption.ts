import { SECTOR } from "../../bytes/mod.ts";
import { isFilled } from "./references.ts";
import type { JsonNode, JsonObject } from "../json/value.ts";
import { type Keyslot, keyslotsOf } from "../keyslots/keyslots.ts";
import { inSectors, looseUint64, member, text, uint32 } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";
import { isOnline, requirementsOf } from "../requirements.ts";
import { isBackup, type Segment, segmentsOf } from "../segments/segments.ts";

/** Judges what a reencryption that is going on keeps in a header. */
export function judgeReencryption(root: JsonObject, judge: JsonJudge): void {
  const { all, online } = requirementsOf(root);
  if (online) judgeBackups(root, judge);
  const slots = keyslotsOf(root).filter(({ type }) => type === "reencrypt");
  for (const slot of slots) judgeSlot(slot, judge);
  const wanted = online ? slots.length === 1 : slots.length <= (all.some(isOnline) ? 1 : 0);
  judge.must(
    wanted,
    "luks2.reencryption.slots",
    { node: member(root, "keyslots"), path: "/keyslots" },
    () =>
      `There are ${slots.length} key slots of type reencrypt, and the requirements are ` +
      JSON.stringify(all.slice(0, 3)),
  );
}

function judgeBackups(root: JsonObject, judge: JsonJudge): void {
  const segments = segmentsOf(root);
  const backups = segments.filter(({ node }) => isBackup(node));
  const final = backups.findLast(({ flags }) => flags.includes("backup-final"));
  const previous = backups.findLast(({ flags }) =>
    flags.includes("backup-previous") && !flags.includes("backup-final")
  );
  const fits = (segment: Segment): boolean =>
    isSame(segment, final) ||
    !segment.flags.includes("in-reencryption") && isSame(segment, previous);
  judge.must(
    final !== undefined && previous !== undefined &&
      segments.every((segment) => isBackup(segment.node) || fits(segment)),
    "luks2.reencryption.segments",
    { node: member(root, "segments"), path: "/segments" },
    () => "A backup segment is missing, or a segment is as none of them",
  );
}

function isSame(segment: Segment, other: Segment | undefined): boolean {
  if (segment.type !== other?.type) return false;
  return segment.type !== "crypt" ||
    segment.sectorSize === other.sectorSize && segment.encryption === other.encryption;
}

function judgeSlot({ name, node }: Keyslot, judge: JsonJudge): void {
  const mode = text(member(node, "mode")) ?? "";
  const direction = text(member(node, "direction")) ?? "";
  judge.must(
    ["reencrypt", "encrypt", "decrypt"].includes(mode) &&
      ["forward", "backward"].includes(direction) && uint32(member(node, "key_size")) === 1 &&
      hasProtection(member(node, "area")),
    "luks2.reencryption.keyslot",
    { node, path: `/keyslots/${name}` },
    () => `Key slot ${name} of type reencrypt is not complete`,
  );
}

/** Whether an area has what its type needs to undo what was interrupted. */
function hasProtection(area: JsonNode | undefined): boolean {
  const type = text(member(area, "type")) ?? "";
  if (type === "checksum" || type === "datashift-checksum") {
    const size = uint32(member(area, "sector_size")) ?? 0;
    return isFilled(member(area, "hash")) && size >= SECTOR && Number.isInteger(Math.log2(size));
  }
  if (type !== "datashift" && type !== "datashift-journal") return true;
  const shift = looseUint64(member(area, "shift_size")) ?? 0n;
  return shift > 0n && inSectors(shift);
}
