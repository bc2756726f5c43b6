import type { InfoReport, Json } from "../format/mod.ts";
import { isMembers } from "./answers.ts";
import { compareJson, type Difference } from "./compare.ts";
import { type Answers, ForwardingPeer } from "./forwarding.ts";
import { type Outcome, type Subject, unsupported, type VolumeReport } from "./peer.ts";

/** A tool that reads LUKS volumes and nothing else. */
export abstract class VolumePeer extends ForwardingPeer {
  /** What the tool prints of a volume. */
  abstract volume(subject: Subject): Promise<Outcome<VolumeReport>>;

  /** Rejects every question about images. */
  protected override ask(_operation: keyof Answers): Promise<Outcome<never>> {
    return Promise.resolve(unsupported("The peer reads only LUKS volumes"));
  }
}

/** The volume in an answer to `info` about LUKS or about `qcow2`; nothing where there is none. */
export function volumeOf({ "format-specific": specific }: InfoReport): VolumeReport | undefined {
  if (!isMembers(specific) || !isMembers(specific["data"])) return undefined;
  const { type, data } = specific;
  if (type === "luks2") return data;
  const volume = type === "luks" ? data : type === "qcow2" ? data["encrypt"] : undefined;
  return isMembers(volume) && volume["slots"] !== undefined ? volume : undefined;
}

/** Compares what both sides print of a volume. */
export function compareVolume(left: VolumeReport, right: VolumeReport): Difference[] {
  const both = shared(named(left), named(right));
  return compareJson(both.left, both.right);
}

/** A report that names the cipher. */
function named(report: VolumeReport): VolumeReport {
  const alg = report["cipher-alg"];
  return typeof alg === "string" ? { cipher: alg.split("-")[0] ?? alg, ...report } : report;
}

/** Two values without the members that only one of them has. */
function shared(left: Json, right: Json): { left: Json; right: Json } {
  if (Array.isArray(left) && Array.isArray(right)) {
    const items = left.map((item, at) => at < right.length ? shared(item, right[at]) : undefined);
    return {
      left: left.map((item, at) => items[at]?.left ?? item),
      right: right.map((item, at) => items[at]?.right ?? item),
    };
  }
  if (!isMembers(left) || !isMembers(right)) return { left, right };
  const keys = Object.keys(left).filter((key) => Object.hasOwn(right, key));
  const pairs = keys.map((key) => [key, shared(left[key] as Json, right[key] as Json)] as const);
  return {
    left: Object.fromEntries(pairs.map(([key, pair]) => [key, pair.left])),
    right: Object.fromEntries(pairs.map(([key, pair]) => [key, pair.right])),
  };
}
