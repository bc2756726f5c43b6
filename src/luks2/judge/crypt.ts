import { SECTOR } from "../../bytes/mod.ts";
import { isFilled } from "./references.ts";
import { integer, member, uint32, uint64 } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";
import type { Segment } from "../segments/segments.ts";

/** Judges what a segment of type crypt has besides. */
export function judgeCrypt(segment: Segment, judge: JsonJudge, digested: boolean): void {
  const { name, node, size, sectorSize } = segment;
  const path = `/segments/${name}`;
  const size32 = member(node, "sector_size");
  judge.must(
    isFilled(member(node, "iv_tweak")) && isFilled(member(node, "encryption")) &&
      integer(size32) !== undefined,
    "luks2.crypt.fields",
    { node, path },
    () => `Segment ${name} has no iv_tweak, encryption or sector_size`,
  );
  judgeIntegrity(segment, judge);
  judge.must(
    integer(size32) === undefined || uint32(size32) !== undefined && isWhole(sectorSize),
    "luks2.crypt.sector-size",
    { node: size32, path: `${path}/sector_size` },
    () => `The sector size of segment ${name} is ${integer(size32)}`,
  );
  const tweak = member(node, "iv_tweak");
  judge.must(
    tweak === undefined || uint64(tweak) !== undefined,
    "luks2.crypt.iv-tweak",
    { node: tweak, path: `${path}/iv_tweak` },
    () => `iv_tweak of segment ${name} is no number`,
  );
  judge.must(
    size === undefined || !isWhole(sectorSize) || size % BigInt(sectorSize) === 0n,
    "luks2.crypt.size-in-sectors",
    { node: member(node, "size"), path: `${path}/size` },
    () => `The size of segment ${name} is ${size}, in sectors of ${sectorSize}`,
  );
  judge.must(
    digested,
    "luks2.crypt.digest",
    { node, path },
    () => `No digest names segment ${name}`,
  );
}

function isWhole(sectorSize: number): boolean {
  return sectorSize > 0 && sectorSize % SECTOR === 0;
}

function judgeIntegrity({ name, node }: Segment, judge: JsonJudge): void {
  const integrity = member(node, "integrity");
  const fields = ["type", "journal_encryption", "journal_integrity"];
  judge.must(
    integrity === undefined || fields.every((field) => isFilled(member(integrity, field))),
    "luks2.crypt.integrity-fields",
    { node: integrity, path: `/segments/${name}/integrity` },
    () => `The integrity of segment ${name} lacks one of ${fields.join(", ")}`,
  );
}
