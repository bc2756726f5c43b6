import type { HeaderCopy, Luks2Copies } from "./decode.ts";
import { isReadable } from "./decode.ts";
import type { JsonObject } from "./json/value.ts";
import { judgeHeader } from "./judge/header.ts";
import { judgeJson } from "./judge/json.ts";
import type { AddFinding, Luks2Broken } from "./findings.ts";
import { ruleOf } from "../rules/mod.ts";

/** What a sound copy of a header says. */
export interface Metadata {
  readonly copy: HeaderCopy;
  /** The outermost object of its JSON. */
  readonly root: JsonObject;
}

/** A copy, and what is wrong with it. */
export interface JudgedCopy {
  readonly copy: HeaderCopy;
  readonly broken: readonly Luks2Broken[];
  /** What it says, where cryptsetup goes by it. */
  readonly metadata?: Metadata;
  /** Its JSON has more values than are looked at: whether cryptsetup goes by it is not known. */
  readonly unread: boolean;
}

/** How many findings of one copy are kept: a hostile one has a million. */
const BROKEN_MAX = 1000;

/** Judges a copy by itself. */
export function judgeCopy(copy: HeaderCopy): JudgedCopy {
  const broken: Luks2Broken[] = [];
  let refused = false;
  let unread = false;
  const add: AddFinding = (rule, place, message) => {
    const { effect } = ruleOf(rule);
    refused ||= effect === "refused-at-open";
    unread ||= rule === "luks2.work.values";
    if (broken.length < BROKEN_MAX) broken.push({ rule, place, message: message() });
  };
  judgeHeader(copy, add);
  if (copy.json !== undefined) judgeJson(copy, copy.json, add);
  const root = copy.json?.root;
  unread &&= !refused;
  const sound = !refused && !unread && isReadable(copy) && root?.kind === "object";
  return { copy, broken, unread, ...(sound ? { metadata: { copy, root } } : {}) };
}

/** Both copies, judged, and the one that cryptsetup goes by. */
export interface ChosenCopy {
  readonly primary: JudgedCopy;
  readonly secondary: JudgedCopy;
  readonly metadata?: Metadata;
}

/**
 * Which copy counts: the one that is sound, of two the one with the greater sequence number, and of
 * two with the same the primary one. None does where that may be one that was not read.
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
