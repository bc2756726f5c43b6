import { UINT64_END, UNIT } from "../geometry.ts";
import { isFilled } from "./references.ts";
import type { JsonObject } from "../json/value.ts";
import { type Keyslot, keyslotsOf } from "../keyslots/keyslots.ts";
import { looseUint64, member, uint64 } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";

/** Judges where the areas of the key slots lie. */
export function judgeAreas(root: JsonObject, judge: JsonJudge): void {
  const slots = keyslotsOf(root);
  const from = 2n * judge.copy.header.hdr_size;
  const size = looseUint64(member(member(root, "config"), "keyslots_size")) ?? 0n;
  for (const slot of slots) {
    if (judgeFields(slot, judge)) judgeInside(slot, judge, { from, to: from + size });
  }
  const byOffset = slots.toSorted((a, b) => a.area.offset < b.area.offset ? -1 : 1);
  let last: Keyslot | undefined;
  for (const slot of byOffset) {
    const { name, node, area } = slot;
    const before = last;
    const end = (before?.area.offset ?? 0n) + (before?.area.size ?? 0n);
    judge.must(
      before === undefined || area.offset >= end,
      "luks2.area.overlap",
      { node: member(node, "area"), path: `/keyslots/${name}/area` },
      () => `The areas of key slots ${before?.name} and ${name} overlap`,
    );
    if (area.offset + area.size > end) last = slot;
  }
}

function judgeFields({ name, node }: Keyslot, judge: JsonJudge): boolean {
  const area = member(node, "area");
  return judge.must(
    isFilled(member(area, "type")) &&
      ["offset", "size"].every((field) => uint64(member(area, field)) !== undefined),
    "luks2.area.fields",
    { node: area ?? node, path: `/keyslots/${name}/area` },
    () => `The area of key slot ${name} has no type, offset or size`,
  );
}

function judgeInside(
  { name, node, area: { offset, size } }: Keyslot,
  judge: JsonJudge,
  { from, to }: { from: bigint; to: bigint },
): void {
  const at = { node: member(node, "area"), path: `/keyslots/${name}/area` };
  const end = offset + size;
  judge.must(
    offset >= from && size > 0n && end <= to && end < UINT64_END,
    "luks2.area.inside",
    at,
    () =>
      `The area of key slot ${name} is bytes ${offset} to ${end}, and the area for key slots is ` +
      `bytes ${from} to ${to}`,
  );
  judge.must(
    offset % BigInt(UNIT) === 0n,
    "luks2.area.alignment",
    at,
    () => `The area of key slot ${name} starts at byte ${offset}, no multiple of ${UNIT}`,
  );
}
