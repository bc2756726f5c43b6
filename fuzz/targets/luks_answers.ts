import { luks1Info } from "../../src/luks1/info.ts";
import { type CipherSpec, decodeLuks1, specOf, unlock, whyUnusable } from "../../src/luks1/mod.ts";
import {
  compareJson,
  compareOutcomes,
  compareVolume,
  type CryptsetupPeer,
  type LuksdePeer,
  type Outcome,
  type VolumeReport,
} from "../../src/peers/mod.ts";
import type { Asked, Seen, Tools } from "./answers.ts";
import type { Observation } from "./divergences.ts";
import { ITERATIONS_MAX } from "./luks_volume.ts";
import { utf8 } from "./volume_files.ts";

/** The programs that are asked about LUKS volumes; those that are not installed are absent. */
export interface LuksTools extends Tools {
  readonly cryptsetup?: Installed<CryptsetupPeer>;
  readonly luksde?: Installed<LuksdePeer>;
}

interface Installed<Peer> {
  readonly peer: Peer;
  readonly version: string;
}

/** A volume on the disk, and what the reference makes of it. */
export type Volume = Omit<Asked, keyof Tools>;

/** What was seen, or why nothing was. */
export interface Compared {
  readonly seen: Seen[];
  readonly skipped?: string;
}

/** What cryptsetup tells of the header, and the slot that it opens with the passphrase. */
export async function compareCryptsetup(asked: Volume & LuksTools): Promise<Compared> {
  const { cryptsetup, image } = asked;
  if (cryptsetup === undefined) return { seen: [], skipped: "cryptsetup is not installed" };
  const { peer, version } = cryptsetup;
  const told = await peer.volume(asked);
  const info = differences(asked, {
    by: { tool: "cryptsetup", question: "info", version },
    ours: reportOf(asked),
    theirs: told,
    compare: compareVolume,
  });
  const expensive = image.findings.count("luks.work.iterations-budget") > 0;
  const locked = asked.passphrases?.length !== 1 || told.outcome !== "accepted";
  if (info.length > 0 || expensive || locked) return { seen: info };
  const opened = await peer.unlock(asked);
  const unlock = differences(asked, {
    by: { tool: "cryptsetup", question: "unlock", version },
    ours: unlocked(asked),
    theirs: opened,
    compare: (left, right) => compareJson({ ...left }, { ...right }),
  });
  return { seen: unlock };
}

/** What luksdeinfo tells of the header. */
export async function compareLuksde(asked: Volume & LuksTools): Promise<Compared> {
  const { luksde } = asked;
  if (luksde === undefined) return { seen: [], skipped: "luksdeinfo is not installed" };
  const { peer, version } = luksde;
  const theirs = await peer.volume(asked);
  if (asked.header !== undefined) {
    return { seen: [], skipped: "luksdeinfo opens no detached header" };
  }
  return {
    seen: differences(asked, {
      by: { tool: "luksdeinfo", question: "info", version },
      ours: reportOf(asked),
      theirs,
      compare: compareVolume,
    }),
  };
}

/** What the reference tells of a header by the format alone: QEMU's limits are left to QEMU. */
function reportOf(asked: Volume): Outcome<VolumeReport> {
  const { image } = asked;
  const refusal = image.findings.refusal("info", "spec");
  if (refusal !== undefined) return { outcome: "rejected", message: refusal.message };
  if (image.layer === undefined) return { outcome: "rejected", message: "It does not open" };
  const { cipher } = specIn(asked);
  const header = decodeLuks1(image.header ?? image.source);
  return { outcome: "accepted", value: { cipher, ...luks1Info(header) } };
}

function specIn({ image }: Volume): CipherSpec {
  return specOf(decodeLuks1(image.header ?? image.source));
}

/** A difference of qemu-img or qemu-io, with what is known of the volume. */
export function aboutVolume(asked: Volume, { observation, message }: Seen): Seen {
  return { observation: { ...observation, spec: specIn(asked) }, message };
}

/** The slot that the reference opens, whatever QEMU knows of the cipher. */
function unlocked({ image, passphrases = [] }: Volume): Outcome<{ slot?: number }> {
  const keyMaterial = image.header ?? image.source;
  const header = decodeLuks1(keyMaterial);
  const reason = whyUnusable(specOf(header));
  if (reason !== undefined) return { outcome: "rejected", message: reason };
  const passphrase = utf8(passphrases[0] ?? "");
  const found = unlock(header, { keyMaterial, passphrase, iterationsMax: ITERATIONS_MAX });
  return "masterKey" in found
    ? { outcome: "accepted", value: { slot: found.slot } }
    : { outcome: "rejected", message: found.message };
}

function differences<T>(asked: Volume, answers: {
  by: Pick<Observation, "tool" | "question" | "version">;
  ours: Outcome<T>;
  theirs: Outcome<T>;
  compare: (ours: T, theirs: T) => ReturnType<typeof compareVolume>;
}): Seen[] {
  const { by, ours, theirs, compare } = answers;
  const said = theirs.outcome === "accepted" ? {} : { said: theirs.message };
  const { judgement } = asked;
  const spec = specIn(asked);
  const detached = asked.header !== undefined;
  const streams = { zstd: false, damagedStream: false };
  const about = { ...by, ...said, ...streams, judgement, spec, detached };
  const observation = { ...about, outcome: theirs.outcome };
  if (theirs.outcome === "unsupported") {
    return [{ observation, message: `${by.question}: ${by.tool} cannot: ${theirs.message}` }];
  }
  return compareOutcomes<T>(ours, theirs, { values: compare }).map(({ path, left, right }) => ({
    observation: path === "" ? observation : { ...observation, path },
    message: `${by.question}: at ${path || "/"}, the reference says ${JSON.stringify(left)} and ` +
      `${by.tool} ${JSON.stringify(right)}`,
  }));
}
