import type {
  Outcome,
  Peer,
  PeerDescription,
  Subject,
  UnlockReport,
  VolumeReport,
} from "./peer.ts";

/** A tool that tells of LUKS volumes and of nothing else. */
export interface VolumeTool {
  describe(): Promise<PeerDescription>;
  info(subject: Subject): Promise<Outcome<VolumeReport>>;
  unlock(subject: Subject): Promise<Outcome<UnlockReport>>;
}

/**
 * Such a tool as a peer: it is held against what is recorded of volumes.
 *
 * ```ts
 * const peer = new VolumePeer(new CryptsetupPeer());
 * ```
 */
export class VolumePeer implements Peer {
  readonly #tool: VolumeTool;

  constructor(tool: VolumeTool) {
    this.#tool = tool;
  }

  describe(): Promise<PeerDescription> {
    return this.#tool.describe();
  }

  volume(subject: Subject): Promise<Outcome<VolumeReport>> {
    return this.#tool.info(subject);
  }

  unlock(subject: Subject): Promise<Outcome<UnlockReport>> {
    return this.#tool.unlock(subject);
  }

  probe(): Promise<Outcome<never>> {
    return nothing();
  }

  info(): Promise<Outcome<never>> {
    return nothing();
  }

  map(): Promise<Outcome<never>> {
    return nothing();
  }

  check(): Promise<Outcome<never>> {
    return nothing();
  }

  digest(): Promise<Outcome<never>> {
    return nothing();
  }
}

function nothing(): Promise<Outcome<never>> {
  return Promise.resolve({ outcome: "unsupported", message: "It tells of LUKS volumes alone" });
}
