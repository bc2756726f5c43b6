import type { Peer, PeerDescription } from "../../src/peers/mod.ts";

/** An implementation that is fuzzed. */
export interface PeerUnderTest {
  /** Its name as it was given, such as `jsonl:./adapter`. */
  readonly text: string;
  /** What it says of itself. */
  readonly description: PeerDescription;
  /** Starts it. */
  open(): Peer;
}

/** Whether an implementation lists a format. */
export function hasFormat({ description: { formats } }: PeerUnderTest, format: string): boolean {
  return formats.length === 0 || formats.includes(format);
}

/** Whether an implementation lists the format of a file of a chain, of which any may be raw. */
export function opensInChain(under: PeerUnderTest, format: string): boolean {
  return format === "raw" || hasFormat(under, format);
}
