import type { ByteSource } from "../../src/bytes/mod.ts";
import type { OpenedImage } from "../../src/image/mod.ts";
import { chooseCopy, decodeLuks2, type JsonNode, unlock } from "../../src/luks2/mod.ts";
import type { CryptsetupPeer, Outcome, Subject } from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { Luks2Observation } from "./luks2_divergences.ts";
import { WORK_MAX } from "./luks2_volume.ts";
import { utf8 } from "./volume_files.ts";

/** A volume on the disk, what the reference makes of it, and whom to ask. */
export interface Luks2Asked {
  readonly subject: Subject;
  /** The file that starts with the header. */
  readonly header: ByteSource;
  readonly image: OpenedImage;
  readonly passphrase?: string;
  readonly peer: CryptsetupPeer;
  readonly version: string;
}

/** A difference, for a divergence to explain or a person to read. */
export interface Luks2Seen {
  readonly observation: Luks2Observation;
  readonly message: string;
}

/** What was seen, or why nothing was. */
export interface Luks2Compared {
  readonly seen?: Luks2Seen;
  readonly skipped?: string;
}

/** Whether cryptsetup takes the header, and which slot it opens with the passphrase. */
export async function compareLuks2(asked: Luks2Asked): Promise<Luks2Compared> {
  const { peer, subject, image, passphrase, header } = asked;
  const dump = difference(asked, "dump", { ours: dumped(image), theirs: await theirDump(asked) });
  if (dump !== undefined) return { seen: dump };
  if (passphrase === undefined || image.findings.refusal("info") !== undefined) return {};
  if (isDear(image, header)) return { skipped: DEAR };
  const theirs = await peer.unlock({ ...subject, passphrases: [passphrase] });
  const seen = difference(asked, "unlock", { ours: unlocked(header, passphrase), theirs });
  return seen === undefined ? {} : { seen };
}

const DEAR = "the header asks for more work than cryptsetup is let do";

async function theirDump({ peer, subject }: Luks2Asked): Promise<Outcome<Slot>> {
  const told = await peer.volume(subject);
  return told.outcome === "accepted" ? { outcome: "accepted", value: {} } : told;
}

interface Slot {
  readonly slot?: number;
}

interface Refused {
  readonly outcome: "rejected";
  readonly rule: RuleId;
  readonly message: string;
}

type Ours = Refused | { readonly outcome: "accepted"; readonly value: Slot };

function dumped({ findings, layer }: OpenedImage): Ours {
  const { rule, message } = findings.refusal("info") ??
    { rule: "luks2.work.values" as const, message: "There is no layer" };
  if (findings.refusal("info") === undefined && layer !== undefined) {
    return { outcome: "accepted", value: {} };
  }
  return { outcome: "rejected", rule, message };
}

/** The slot that the passphrase opens, whatever there is to be said of the payload. */
function unlocked(keyMaterial: ByteSource, text: string): Ours {
  const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
  if (metadata === undefined) {
    return { outcome: "rejected", rule: "luks2.header.readable", message: "No copy counts" };
  }
  const passphrase = utf8(text);
  const key = unlock(metadata, { keyMaterial, passphrase, iterationsMax: WORK_MAX });
  if ("slot" in key) return { outcome: "accepted", value: { slot: key.slot } };
  return { outcome: "rejected", rule: key.rule, message: key.message };
}

function difference(
  { image, version }: Luks2Asked,
  question: Luks2Observation["question"],
  { ours, theirs }: { ours: Ours; theirs: Outcome<Slot> },
): Luks2Seen | undefined {
  const same = ours.outcome === theirs.outcome &&
    (theirs.outcome !== "accepted" || ours.outcome !== "accepted" ||
      ours.value.slot === theirs.value.slot);
  if (same) return undefined;
  const said = theirs.outcome === "accepted" ? undefined : theirs.message;
  const observation: Luks2Observation = {
    question,
    version,
    outcome: theirs.outcome,
    rules: image.findings.rules(),
    ...(said === undefined ? {} : { said }),
    ...(ours.outcome === "accepted" ? {} : { ours: ours.rule }),
  };
  return { observation, message: `${question}: ${told(ours)}; cryptsetup ${told(theirs)}` };
}

function told(answer: Ours | Outcome<Slot>): string {
  if (answer.outcome === "accepted") {
    const { slot } = answer.value;
    return slot === undefined ? "takes it" : `opens slot ${slot}`;
  }
  return `${answer.outcome} (${"rule" in answer ? `${answer.rule}: ` : ""}${answer.message})`;
}

/** Names of what costs time or memory in the JSON, and the most of each that is asked for. */
const COSTLY = new Set(["iterations", "time", "memory", "cpus", "key_size"]);
const COST_MAX = 5000n;

/**
 * Whether cryptsetup is not to be asked: it has no budget, and reads some numbers otherwise than the
 * reference, so that none is to be large, whichever copy it goes by.
 */
function isDear({ findings }: OpenedImage, header: ByteSource): boolean {
  if (findings.rules().some((rule) => rule.startsWith("luks2.work."))) return true;
  const { primary, secondary } = decodeLuks2(header);
  return [primary, secondary].some(({ json }) => json?.root !== undefined && hasCost(json.root));
}

function hasCost(node: JsonNode): boolean {
  if (node.kind === "array") return node.items.some(hasCost);
  if (node.kind !== "object") return false;
  return [...node.members].some(([name, value]) => {
    return COSTLY.has(name) && !isCheap(value) || hasCost(value);
  });
}

/** Numbers in texts count too: what reads them as numbers is lenient. */
function isCheap(value: JsonNode): boolean {
  if (value.kind === "int") return value.value >= 0n && value.value <= COST_MAX;
  return value.kind === "string" ? /^\D*\d{0,3}$/.test(value.text) : value.kind !== "double";
}
