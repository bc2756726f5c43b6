import * as fc from "fast-check";
import { type ClusterContent, type GuestCluster, zstdFrames } from "../../../src/qcow2/mod.ts";
import { mostly, patterns } from "../../generate/mod.ts";

/** Guest clusters of a layer are never more than this. */
const CLUSTERS_MAX = 14;
const FAR = 2 ** 40;

/**
 * The place of a guest cluster: most often near the start, where clusters meet, and now and then near
 * the start of another L2 table or anywhere. A place past the end of the disk is wrapped into the disk.
 */
export function guestIndices(): fc.Arbitrary<number> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 8, arbitrary: fc.nat(11) },
    { weight: 2, arbitrary: fc.nat(200) },
    { weight: 1, arbitrary: fc.nat(2 ** 22) },
    { weight: 1, arbitrary: fc.maxSafeNat().map((far) => far % FAR, (index) => index as number) },
  );
}

/** What one cluster of any image can hold; what this one cannot becomes something like it. */
function contents(): fc.Arbitrary<ClusterContent> {
  const mask = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0x80000000, 0xffff, 0xffffffff));
  const compressed = {
    kind: fc.constant<"compressed">("compressed"),
    pattern: patterns(),
    level: mostly(6, fc.integer({ min: 1, max: 19 })),
    gap: mostly(0, fc.nat(1100)),
  };
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("data"), pattern: patterns() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("zero") }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("zero-allocated"), pattern: patterns() }),
    },
    { weight: 3, arbitrary: fc.record(compressed) },
    {
      weight: 2,
      arbitrary: fc.record({ ...compressed, frames: fc.constantFrom(...zstdFrames) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("subclusters"),
        allocated: mask,
        zero: mask,
        reserved: fc.boolean(),
        pattern: patterns(),
      }),
    },
  );
}

/** The clusters of a layer. */
export function guestClusters(): fc.Arbitrary<GuestCluster[]> {
  const cluster = fc.record({ index: guestIndices(), content: contents() }).map(
    ({ index, content }) => ({ index, ...content }),
    (value) => {
      const { index, ...content } = value as GuestCluster;
      return { index, content: content as ClusterContent };
    },
  );
  return fc.array(cluster, { maxLength: CLUSTERS_MAX });
}
