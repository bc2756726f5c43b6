/**
 * Fuzzes any implementation. What is expected of it follows from the model of an image and from the
 * format, and not from qemu-img.
 *
 * Invariants:
 *
 * - A right answer is never reported: whatever the format leaves open is accepted.
 * - A failure has a kind and a cause. Failures of one kind and cause are one finding.
 *
 * @module
 */

import type { Target } from "../engine/mod.ts";
import { type PeerProperty, peerTarget } from "./target.ts";
import { peerConcurrentTarget } from "./concurrent.ts";
import { peerWriteTarget } from "./write.ts";
import type { PeerUnderTest } from "./under_test.ts";

/** The properties of implementations, in the order in which a run goes through them. */
export const peerProperties: readonly PeerProperty[] = [
  {
    name: "peer-content",
    says: "sound images, their ranges and their snapshots read as their models say",
    weight: 4,
    edited: [0, 1],
    operations: ["digest"],
  },
  {
    name: "peer-malformed",
    says: "edited images are accepted or rejected as the format says; no crash, no hang",
    weight: 4,
    edited: [15, 16],
    operations: ["probe", "info", "check", "map", "digest"],
  },
  {
    name: "peer-map",
    says: "the map claims nothing false",
    weight: 1,
    edited: [1, 4],
    operations: ["map"],
  },
  {
    name: "peer-info",
    says: "format and information are those of the image",
    weight: 1,
    edited: [1, 4],
    operations: ["probe", "info"],
  },
  {
    name: "peer-check",
    says: "a check counts what is wrong with the refcounts",
    weight: 1,
    edited: [1, 2],
    operations: ["check"],
  },
  {
    name: "peer-unlock",
    says: "the right passphrases open LUKS volumes, and no others do",
    weight: 1,
    edited: [1, 4],
    volumes: true,
    operations: ["unlock"],
  },
];

/**
 * The targets of implementations, as far as their operations and formats go. With several
 * implementations, names of targets end with that of the implementation.
 */
export function peerTargets(peers: readonly PeerUnderTest[]): Target[] {
  return peers.flatMap((peer) => {
    const named = (name: string) => peers.length === 1 ? name : `${name} of ${peer.text}`;
    const asked = peerProperties.flatMap((property) =>
      peerTarget(peer, property, named(property.name)) ?? []
    );
    const changing = [
      peerWriteTarget(peer, named("peer-write")) ?? [],
      peerConcurrentTarget(peer, named("peer-concurrent")) ?? [],
    ];
    return [...asked, ...changing].flat() as Target[];
  });
}

export type { PeerCase } from "./case.ts";
export type { ConcurrentCase } from "./concurrent.ts";
export type { PeerFacts } from "./facts.ts";
export { findingsOf, type FuzzFinding, ledgerOf, notMetIn } from "./finding.ts";
export { type FindingFolder, folderOf, picturesOf } from "./folder.ts";
export { type Recreated, recreated } from "./recreated.ts";
export type { PeerUnderTest } from "./under_test.ts";
export type { WriteCase } from "./write.ts";
