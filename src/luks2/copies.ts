import type { HeaderCopy, Luks2Copies } from "./decode.ts";
import { isReadable } from "./decode.ts";
import type { AddFinding, Luks2Broken } from "./findings.ts";
import { judgeHeader } from "./judge/header.ts";
import { judgeJson } from "./judge/json.ts";
import type { Metadata } from "./metadata.ts";
import { ruleOf } from "../rules/mod.ts";

/** A copy with its findings. */
export interface JudgedCopy {
  readonly copy: HeaderCopy;
  readonly broken: readonly Luks2Broken[];
  /** Its metadata, if cryptsetup accepts it. */
  readonly metadata?: Metadata;
  /** Its JSON has too many values to be read, so it is not known whether cryptsetup accepts it. */
  readonly unread: boolean;
}

/** Maximum number of findings of one copy: a hostile one may have a million. */
const BROKEN_MAX = 1000;

/** Judges a single copy. */
export function judgeCopy(copy: HeaderCopy): JudgedCopy {
  const broken: Luks2Broken[] = [];
  let refused = false;
  let unread = false;
  const add: AddFinding = (rule, place, message) => {
    refused ||= ruleOf(rule).effect === "refused-at-open";
    unread ||= rule === "luks2.work.values";
    if (broken.length < BROKEN_MAX) broken.push({ rule, place, message: message() });
  };
  judgeHeader(copy, add);
  const said = copy.json === undefined ? undefined : judgeJson(copy, copy.json, add);
  unread &&= !refused;
  const sound = said !== undefined && !refused && !unread && isReadable(copy);
  return { copy, broken, unread, ...(sound ? { metadata: { copy, ...said } } : {}) };
}

/** Both copies after judging, and the metadata of the one that cryptsetup uses. */
export interface ChosenCopy {
  readonly primary: JudgedCopy;
  readonly secondary: JudgedCopy;
  readonly metadata?: Metadata;
}

/**
 * Chooses the copy to use: the valid one; of two valid ones the one with the greater sequence number;
 * of two with the same number the primary one. None is chosen if it could be one that was not read.
 */
export function chooseCopy({ primary, secondary }: Luks2Copies): ChosenCopy {
  const first = judgeCopy(primary);
  const second = judgeCopy(secondary);
  const judged = { primary: first, secondary: second };
  const newer = secondary.header.seqid > primary.header.seqid;
  const [preferred, other] = newer ? [second, first] : [first, second];
  const counts = preferred.metadata === undefined && !preferred.unread ? other : preferred;
  return counts.metadata === undefined ? judged : { ...judged, metadata: counts.metadata };
}
