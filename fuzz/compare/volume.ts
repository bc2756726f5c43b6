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
  /** The slot that a passphrase opens. */
  unlock(image: OpenedImage, passphrase: string): Slot;
  /** Whether a passphrase attempt is too much work for a tool without a limit. */
  dear(image: OpenedImage): boolean;
}

/** The slot that opened, or why none did. */
export type Slot =
  | { readonly slot: number }
  | { readonly rule?: RuleId; readonly message: string };

/** Compares cryptsetup's report of the header, and the slot that the passphrase opens. */
export async function compareCryptsetup(
  asked: Asked,
  kit: VolumeKit,
  tools: Pick<Toolbox, "cryptsetup">,
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
  const slot = kit.unlock(image, passphrase);
  return {
    seen: differences<{ slot?: number }>(asked, { ...by, question: "unlock" }, {
      ours: "slot" in slot
        ? { outcome: "accepted", value: { slot: slot.slot } }
        : { outcome: "rejected", ...slot },
      theirs: await peer.unlock(subject),
      compare: (left, right) => compareJson({ ...left }, { ...right }),
      about: () => ({ path: "/key_slots" }),
    }),
  };
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
