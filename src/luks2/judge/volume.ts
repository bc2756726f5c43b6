import { type ByteSource, startsWith } from "../../bytes/mod.ts";
import type { Metadata } from "../metadata.ts";
import type { ChosenCopy, JudgedCopy } from "../copies.ts";
import type { HeaderCopy } from "../decode.ts";
import { type AddFinding, inHeader, inJson, type Luks2Broken, shown } from "../findings.ts";
import { attemptsOf, firstFault, whyNotAttempted, whyOverBudget } from "../keyslots/attempts.ts";
import { WORK_BUDGET } from "../keyslots/budget.ts";
import type { Extent, PayloadPlace } from "../segments/extents.ts";
import { PRIMARY_MAGIC } from "../structures.ts";
import { judgeContent } from "./content.ts";
import { judgeSignatures } from "./signatures.ts";
import { refuses, ruleOf } from "../../rules/mod.ts";

/** The files and the work limit. */
export interface Luks2Opening {
  /** The file with the header. */
  readonly header: ByteSource;
  readonly payload: PayloadPlace;
  /** The source of the content, if a copy of the header is valid. */
  readonly extents: readonly Extent[];
  /** The work limit; see `WORK_BUDGET`. */
  readonly iterationsMax?: number;
}

/**
 * Judges everything in a header that is checked without a passphrase: both copies, then the metadata
 * of the copy that is used, and failures that occur with every passphrase. The caller adds other
 * findings that require a passphrase.
 *
 * @returns the rule because of which the content cannot be read with any key, if there is one
 */
export function judgeLuks2(
  chosen: ChosenCopy,
  add: AddFinding,
  opening: Luks2Opening,
): Luks2Broken | undefined {
  judgeVersion(chosen.primary.copy, add);
  const { metadata } = chosen;
  judgeCopies(chosen, add);
  judgeSignatures(chosen, add, opening.header);
  if (metadata === undefined) return undefined;
  judgeFile(metadata, add, opening.payload.headerBytes);
  judgeFinished(metadata, add);
  const unreadable = judgeContent(metadata, add, opening);
  judgeKeys(metadata, add, opening);
  return unreadable;
}

function addAll({ broken }: JudgedCopy, add: AddFinding): void {
  for (const { rule, place, message } of broken) add(rule, place, () => message);
}

/** cryptsetup does not look at the other copy if the primary one has another version. */
function judgeVersion(copy: HeaderCopy, add: AddFinding): void {
  const { magic, version } = copy.header;
  if (!startsWith(magic, PRIMARY_MAGIC) || version === 2 || version === 0) return;
  const message = () => `The version of the primary copy is ${version}, not 2`;
  add("luks2.header.primary-version", inHeader(copy, "version"), message);
}

const COPY_RULES = { primary: "luks2.copy.primary", secondary: "luks2.copy.secondary" } as const;

function judgeCopies({ primary, secondary, metadata }: ChosenCopy, add: AddFinding): void {
  const oneCounts = metadata !== undefined || primary.unread || secondary.unread;
  for (const judged of [primary, secondary]) {
    const { copy, broken } = judged;
    if (judged.metadata !== undefined || judged.unread || !oneCounts) {
      addAll(judged, add);
      continue;
    }
    const reason = broken.find(({ rule }) => refuses(ruleOf(rule), "info")) ?? broken[0];
    const message = () => `The ${copy.name} copy is invalid: ${reason?.message} (${reason?.rule})`;
    add(COPY_RULES[copy.name], { path: `/${copy.name}`, offset: copy.offset }, message);
  }
  if (primary.metadata === undefined || secondary.metadata === undefined) return;
  const [first, second] = [primary.copy, secondary.copy];
  if (first.header.seqid !== second.header.seqid) {
    const message = () =>
      `seqid is ${first.header.seqid} in the primary copy, but ${second.header.seqid} in the secondary`;
    add("luks2.copy.sequence", inHeader(second, "seqid"), message);
  } else {
    judgeSame(first, second, add);
  }
  if (startsWith(first.header.salt, second.header.salt)) {
    add("luks2.copy.salt", inHeader(second, "salt"), () => "Both copies have the same salt");
  }
}

const SAME_FIELDS = ["label", "csum_alg", "uuid", "subsystem"] as const;

function judgeSame(first: HeaderCopy, second: HeaderCopy, add: AddFinding): void {
  const field = SAME_FIELDS.find((name) => !startsWith(first.header[name], second.header[name]));
  if (field !== undefined) {
    const place = inHeader(second, field);
    add("luks2.copy.same", place, () => `${field} differs between the copies`);
  }
  if (startsWith(first.area, second.area)) return;
  const place = inJson(second, "");
  add("luks2.copy.same", place, () => "The JSON differs between the copies");
}

function judgeFile({ copy, json }: Metadata, add: AddFinding, headerBytes: number): void {
  const end = 2n * copy.header.hdr_size + json.config.keyslots_size;
  if (end <= BigInt(headerBytes)) return;
  const message = () =>
    `The keyslots area ends at byte ${end}, after the end of the file at byte ${headerBytes}`;
  add("luks2.file.areas", inJson(copy, "/config/keyslots_size"), message);
}

/** Reports a reencryption in progress. Until it is finished, the segments determine the content. */
function judgeFinished({ copy, reencryption }: Metadata, add: AddFinding): void {
  if (reencryption === undefined) return;
  const { slot: { name, mode }, hot } = reencryption;
  const where = hot === undefined ? "" : `, and was interrupted in segment ${hot.name}`;
  const message = () => `A reencryption in mode ${shown(mode)} is in progress${where}`;
  add("luks2.reencryption.finished", inJson(copy, `/keyslots/${name}`), message);
}

/** Judges the cost of opening with any passphrase, and the first reason for which it fails. */
function judgeKeys(
  metadata: Metadata,
  add: AddFinding,
  { iterationsMax = WORK_BUDGET, payload: { headerBytes } }: Luks2Opening,
): void {
  const attempts = attemptsOf(metadata);
  const refused = whyNotAttempted(metadata, attempts);
  if (refused !== undefined) return add(refused.rule, refused.place, () => refused.message);
  const dear = whyOverBudget(metadata, attempts, { iterationsMax });
  if (dear !== undefined) add(dear.rule, dear.place, () => dear.message);
  const fault = firstFault(metadata, attempts, { headerBytes });
  if (fault !== undefined) add(fault.rule, fault.place, () => fault.message);
}
