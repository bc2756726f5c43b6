import { namedPeer, UsageError, usersDirectory } from "../../src/cli/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import type { Peer, PeerDescription } from "../../src/peers/mod.ts";
import type { PeerUnderTest } from "../peer/mod.ts";

/** How an implementation is started, and what one answer may cost. */
export interface PeerLimits {
  /** The folder that names of files are relative to; the working directory by default. */
  readonly directory?: string;
  readonly timeoutMs: number;
  /** Bytes of resident memory of a `jsonl:` adapter. */
  readonly memoryLimit: number;
}

/** The implementations of a run, as its workers are told of them. */
interface PeerSettings {
  readonly limits: PeerLimits;
  readonly peers: readonly {
    readonly text: string;
    readonly description: PeerDescription;
  }[];
}

/** The implementations of a run, and the settings that its workers get for them. */
export interface PeerRun {
  readonly peers: readonly PeerUnderTest[];
  readonly settings: Json;
}

/**
 * The implementations that are named on the command line.
 *
 * @returns nothing if none is named
 * @throws {UsageError} when a text names none
 * @throws {PeerError} when one cannot be started
 */
export async function describePeers(
  texts: readonly string[],
  answer: PeerLimits,
): Promise<PeerRun | undefined> {
  if (texts.length === 0) return undefined;
  const directory = usersDirectory();
  const limits = { ...answer, ...(directory === undefined ? {} : { directory }) };
  const peers = [];
  for (const text of texts) {
    const peer = peerNamed(text, limits);
    peers.push({ text, description: await peer.describe() });
    await peer.close?.();
  }
  const settings = { limits, peers } as unknown as Json;
  return { peers: peersOf(settings), settings };
}

/** The implementations of a worker. */
export function peersOf(settings: Json | undefined): PeerUnderTest[] {
  if (settings === undefined) return [];
  const { limits, peers } = settings as unknown as PeerSettings;
  return peers.map(({ text, description }) => ({
    text,
    description,
    open: () => peerNamed(text, limits),
  }));
}

/** @throws {UsageError} for a tool that is compared with the record and not with the format */
function peerNamed(text: string, limits: PeerLimits): Peer {
  const { peer, comparedWith } = namedPeer(text, { ...limits, atOnce: 1 });
  if (comparedWith === "format" || text === "reference") return peer;
  throw new UsageError(
    `--peer ${text}: without --peer, the targets named …differential compare with this tool ` +
      "(an adapter is jsonl:COMMAND, exec:COMMAND or module:FILE)",
  );
}
