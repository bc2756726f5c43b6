import { type Answers, ForwardingPeer } from "./forwarding.ts";
import { type Outcome, type Subject, unsupported, type VolumeReport } from "./peer.ts";

/** A tool that reads LUKS volumes and nothing else. */
export abstract class VolumePeer extends ForwardingPeer {
  /** What the tool prints of a volume. */
  abstract volume(subject: Subject): Promise<Outcome<VolumeReport>>;

  protected override ask(_operation: keyof Answers): Promise<Outcome<never>> {
    return Promise.resolve(unsupported("It reads LUKS volumes alone"));
  }
}
