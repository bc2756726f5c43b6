import type { Operation, Outcome, Peer, Subject, UnlockReport } from "../../src/peers/mod.ts";
import { unsupported } from "../../src/peers/mod.ts";
import { SECTOR } from "../../src/bytes/mod.ts";
import { extentsOf, layersOf } from "../../src/image/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { allPassphrases, passphrasesOf } from "../formats/mod.ts";
import { type Range, strangePassphrase } from "../generate/mod.ts";
import type { PeerQuestion } from "./facts.ts";
import type { CaseView } from "./view.ts";

/** Bytes of a disk that is read as a whole. */
const WHOLE_MAX = 2 ** 23;
/** Bytes of a part. */
const PART_MAX = 2 ** 16;

/** The questions of some operations about a case. */
export function questionsFor(view: CaseView, operations: readonly Operation[]): PeerQuestion[] {
  return operations.flatMap((operation) => {
    if (operation === "digest") return contentQuestions(view);
    if (operation === "unlock") return unlockQuestions(view);
    return [{ name: operation, operation }];
  });
}

/** The content as a whole if the disk is small, and a part or a snapshot of it. */
function contentQuestions(view: CaseView): PeerQuestion[] {
  const size = view.disk?.size ?? view.opened.layer?.virtualSize ?? 0;
  const { part } = view.value;
  const whole: PeerQuestion[] = size <= WHOLE_MAX ? [{ name: "digest", operation: "digest" }] : [];
  const snapshots = view.value.edits.length > 0
    ? []
    : [...view.kit.expected?.views?.(view.value.model) ?? []]
      .filter(([, disk]) => disk.size <= WHOLE_MAX);
  const snapshot = snapshots[part % Math.max(1, snapshots.length)]?.[0];
  const ofSnapshot: PeerQuestion[] = snapshot === undefined
    ? []
    : [{ name: `digest of snapshot ${snapshot}`, operation: "digest", scope: { snapshot } }];
  // A part of the content is read in every fourth case, of each large disk, and beside damage.
  const isAsked = part % 4 === 0 || whole.length === 0 || isDamaged(view);
  const ofPart = isAsked ? partQuestions(view, size) : [];
  return [...whole, ...ofSnapshot, ...ofPart];
}

/** Extents of an edited image that are looked up. */
const EXTENTS_MAX = 64;

/** The stretches with content: those of the model, or what can be read of an edited image. */
function stretchesIn({ disk, opened }: CaseView, size: number): readonly Range[] {
  if (disk !== undefined) return disk.ranges;
  const stretches: Range[] = [];
  if (opened.layer === undefined || opened.incomplete) return stretches;
  let left = EXTENTS_MAX;
  for (const { start, length, zero, broken } of extentsOf(layersOf(opened), 0, size)) {
    if (broken === undefined && !zero) stretches.push({ start, end: start + length });
    if (--left === 0) break;
  }
  return stretches;
}

/** Whether some of the content of an edited image cannot be read. */
function isDamaged(view: CaseView): boolean {
  return view.value.edits.length > 0 &&
    view.rules.some((rule) => ruleOf(rule).effect === "fails-at-access");
}

/** A part around the start of one of the stretches with content. In an edited image, it is in it. */
function partQuestions(view: CaseView, size: number): PeerQuestion[] {
  const { part, edits } = view.value;
  const stretches = stretchesIn(view, size);
  const { start = 0, end = size } = stretches[part % Math.max(1, stretches.length)] ?? {};
  const sectors = Math.floor((edits.length > 0 ? end : size) / SECTOR);
  if (sectors === 0 || size > Number.MAX_SAFE_INTEGER) return [];
  const before = edits.length > 0 ? 0 : part % 3;
  const first = Math.min(sectors - 1, Math.max(0, Math.floor(start / SECTOR) - before));
  const count = Math.min(sectors - first, 1 + part % (PART_MAX / SECTOR));
  const range = { start: first * SECTOR, length: count * SECTOR };
  return [{
    name: `digest of ${range.start}+${range.length}`,
    operation: "digest",
    scope: { range },
  }];
}

function unlockQuestions({ kit, value: { model, key } }: CaseView): PeerQuestion[] {
  const [right] = passphrasesOf(kit, model, "right");
  const isWrong = key === "wrong" || right === undefined;
  const passphrase = isWrong ? strangePassphrase(allPassphrases(kit, model)) : right;
  return [{ name: `unlock with ${JSON.stringify(passphrase)}`, operation: "unlock", passphrase }];
}

/** Asks an implementation. */
export function ask(
  peer: Peer,
  { operation, scope, passphrase }: PeerQuestion,
  subject: Subject,
): Promise<Outcome<unknown>> {
  if (operation === "digest") return peer.digest(subject, scope ?? {});
  if (operation !== "unlock") return peer[operation](subject);
  const none: Promise<Outcome<UnlockReport>> = Promise.resolve(
    unsupported("It does not unlock key slots"),
  );
  return peer.unlock?.({ ...subject, passphrases: [passphrase ?? ""] }) ?? none;
}
