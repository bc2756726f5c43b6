import { materialBytes, UINT64_END } from "../geometry.ts";
import type { Keyslot, Luks2Json } from "../json/description.ts";
import type { JsonJudge } from "../json/judge.ts";

/** Judges the digests of the key slots and the locations of their areas. */
export function judgeKeyslots({ keyslots, digests, config }: Luks2Json, judge: JsonJudge): void {
  const counts = new Map<string, number>();
  for (const digest of digests) {
    for (const name of new Set(digest.keyslots)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const from = 2n * judge.copy.header.hdr_size;
  const to = from + config.keyslots_size;
  for (const slot of keyslots) {
    if (slot.type === "luks2") judgeDigest(slot, judge, counts.get(String(slot.number)) ?? 0);
    if (!judge.holds("luks2.area.fields", `/keyslots/${slot.name}/area`)) continue;
    judgeInside(slot, judge, { from, to });
    if (slot.type === "luks2") judgeSize(slot, judge);
  }
  judgeOverlap(keyslots, judge);
}

function judgeDigest({ name }: Keyslot, judge: JsonJudge, digests: number): void {
  judge.must(
    digests === 1,
    "luks2.keyslot.digest",
    `/keyslots/${name}`,
    () => `Key slot ${name} has ${digests} digests`,
  );
}

function judgeSize({ name, key_size, area }: Keyslot, judge: JsonJudge): void {
  const needed = materialBytes(key_size);
  judge.must(
    area.size >= BigInt(needed),
    "luks2.area.size",
    `/keyslots/${name}/area/size`,
    () => `The area of key slot ${name} has ${area.size} bytes, but its key needs ${needed}`,
  );
}

function judgeInside(
  { name, area: { offset, size } }: Keyslot,
  judge: JsonJudge,
  { from, to }: { from: bigint; to: bigint },
): void {
  const end = offset + size;
  judge.must(
    offset >= from && size > 0n && end <= to && end < UINT64_END,
    "luks2.area.inside",
    `/keyslots/${name}/area`,
    () =>
      `The area of key slot ${name} is bytes ${offset} to ${end}, but the keyslots area is ` +
      `bytes ${from} to ${to}`,
  );
}

function judgeOverlap(keyslots: readonly Keyslot[], judge: JsonJudge): void {
  let last: Keyslot | undefined;
  for (const slot of keyslots.toSorted((a, b) => a.area.offset < b.area.offset ? -1 : 1)) {
    const { name, area: { offset, size } } = slot;
    const before = last;
    const end = (before?.area.offset ?? 0n) + (before?.area.size ?? 0n);
    judge.must(
      before === undefined || offset >= end,
      "luks2.area.overlap",
      `/keyslots/${name}/area`,
      () => `The areas of key slots ${before?.name} and ${name} overlap`,
    );
    if (offset + size > end) last = slot;
  }
}
