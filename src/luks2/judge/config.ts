import type { Luks2Json } from "../json/description.ts";
import type { JsonJudge } from "../json/judge.ts";
import { isOnline } from "../reencryption/requirements.ts";
import { isBackup } from "../segments/segments.ts";

/** Judges what config requires, and whether the areas that it gives room to are before the data. */
export function judgeConfig({ config, segments }: Luks2Json, judge: JsonJudge): void {
  const online = config.requirements?.mandatory.filter(isOnline) ?? [];
  judge.must(
    online.length <= 1,
    "luks2.config.one-reencryption",
    "/config/requirements/mandatory",
    () => `${online.length} requirements are for an online reencryption`,
  );
  const starts = segments.filter((segment) => !isBackup(segment)).map(({ offset }) => offset);
  const start = starts.reduce((least, offset) => offset < least ? offset : least, starts[0] ?? 0n);
  const end = 2n * judge.copy.header.hdr_size + config.keyslots_size;
  judge.must(
    start === 0n || start >= end,
    "luks2.config.before-data",
    "/config/keyslots_size",
    () => `The keyslots area ends at byte ${end}, but a segment starts at byte ${start}`,
  );
}
