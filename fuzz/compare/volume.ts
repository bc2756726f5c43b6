import type { OpenedImage } from "../../src/image/mod.ts";
import { compareJson, compareVolume, type VolumeReport } from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { Compared } from "./observation.ts";
import { type Asked, differences, type Ours } from "./outcomes.ts";
import type { Toolbox } from "./tools.ts";

/** The answers of the reference for tools that support only LUKS volumes. */
export interface VolumeKit {
  /** What the header contains, whether or not QEMU supports it. */
  report(image: OpenedImage): Ours<VolumeReport>;
  /** The slot that a passphrase opens, of all slots or of one. */
  unlock(image: OpenedImage, passphrase: string, only?: number): Slot;
  /** The numbers of the slots in use, in order. */
  slots(image: OpenedImage): readonly number[];
  /** Whether a passphrase attempt is too much work for a tool without a limit. */
  dear(image: OpenedImage): boolean;
}

/** The slot that opened, or why none did. */
export type Slot =
  | { readonly slot: number }
  | { readonly rule?: RuleId; readonly message: string };

/** The question which slots a passphrase opens that are named. */
export const KEY_SLOT = "key-slot";

/**
 * Compares cryptsetup's report of the header, and the slot that the passphrase opens: of all slots or,
 * if {@link KEY_SLOT} is asked, of the first slot in use, the last one and one that is not in use.
 */
export async function compareCryptsetup(
  asked: Asked,
  kit: VolumeKit,
  { ask, tools }: { ask: string; tools: Pick<Toolbox, "cryptsetup"> },
): Promise<Compared> {
  const cryptsetup = tools.cryptsetup;
  if (cryptsetup === undefined) return { seen: [], skipped: "cryptsetup is not installed" };
  const { peer, version } = cryptsetup;
  const { subject, image } = asked;
  const ours = kit.report(image);
  const theirs = await peer.volume(subject);
  const by = { tool: "cryptsetup", version } as const;
  const info = differences(asked, { ...by, question: "info" }, {
    ours,
    theirs,
    compare: compareVolume,
  }, { every: true });
  const [passphrase, ...others] = subject.passphrases ?? [];
  const locked = passphrase === undefined || others.length > 0 || theirs.outcome !== "accepted" ||
    ours.outcome !== "accepted";
  if (info.length > 0 || locked) return { seen: info };
  if (kit.dear(image)) return { seen: [], skipped: DEAR };
  for (const only of ask === KEY_SLOT ? namedSlots(kit.slots(image)) : [undefined]) {
    const slot = kit.unlock(image, passphrase, only);
    const seen = differences<{ slot?: number }>(asked, { ...by, question: "unlock" }, {
      ours: "slot" in slot
        ? { outcome: "accepted", value: { slot: slot.slot } }
        : { outcome: "rejected", ...slot },
      theirs: await peer.unlock(subject, only),
      compare: (left, right) => compareJson({ ...left }, { ...right }),
      about: () => ({ path: "/key_slots" }),
    });
    if (seen.length > 0) return { seen };
  }
  return { seen: [] };
}

/** The first slot, the last one, and one that is not in use. */
function namedSlots(slots: readonly number[]): Set<number> {
  return new Set([...slots.slice(0, 1), ...slots.slice(-1), unusedSlot(slots)]);
}

/** The first number that is none of those of the slots in use. */
export function unusedSlot(slots: readonly number[]): number {
  let slot = 0;
  while (slots.includes(slot)) slot++;
  return slot;
}

const DEAR = "cryptsetup does not limit the work that a header requires";

/** Compares luksdeinfo's report of the header. */
export async function compareLuksde(
  asked: Asked,
  kit: VolumeKit,
  tools: Pick<Toolbox, "luksde">,
): Promise<Compared> {
  const luksde = tools.luksde;
  if (luksde === undefined) return { seen: [], skipped: "luksdeinfo is not installed" };
  if (asked.subject.header !== undefined) {
    return { seen: [], skipped: "luksdeinfo does not support detached headers" };
  }
  return {
    seen: differences(
      asked,
      { tool: "luksdeinfo", version: luksde.version, question: "info" },
      {
        ours: kit.report(asked.image),
        theirs: await luksde.peer.volume(asked.subject),
        compare: compareVolume,
      },
      { every: true },
    ),
  };
}
