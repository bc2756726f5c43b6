import type { Segment } from "../../bytes/mod.ts";
import { offsetWords, writeWords } from "../encode/entries.ts";
import { encodeRefcounts } from "../encode/refcounts.ts";
import type { Geometry } from "../geometry.ts";
import { limits, refcountTableEntry } from "../structures.ts";
import type { HostClusters } from "./host_clusters.ts";

/** The offsets of the refcount structures of an image. */
export interface RefcountPlan {
  readonly tableOffset: number;
  readonly tableClusters: number;
  readonly blocks: number;
  /** Clusters of the image, including those of refcount structures. */
  readonly clusters: number;
}

/**
 * Places the refcount structures after everything else. They also count themselves.
 *
 * @throws {RangeError} if the refcount table would be longer than QEMU accepts
 */
export function planRefcounts(hosts: HostClusters, geometry: Geometry): RefcountPlan {
  const { clusterSize, refblockEntries, tableEntries } = geometry;
  let blocks = 0;
  let tableClusters = 0;
  for (let clusters = -1; clusters !== hosts.count + blocks + tableClusters;) {
    clusters = hosts.count + blocks + tableClusters;
    blocks = Math.ceil(clusters / refblockEntries);
    tableClusters = Math.ceil(blocks / tableEntries);
  }
  if (tableClusters * clusterSize > limits.refcountTable) {
    throw new RangeError(
      `Cannot create an image: with clusters of ${clusterSize} bytes and refcounts of ` +
        `${geometry.refcountBits} bits, its refcount table would be longer than 8 MiB`,
    );
  }
  const tableOffset = hosts.count * clusterSize;
  return { tableOffset, tableClusters, blocks, clusters: hosts.count + blocks + tableClusters };
}

/** The refcount table and the refcount blocks. */
export function* refcountParts(
  plan: RefcountPlan,
  hosts: HostClusters,
  geometry: Geometry,
): Generator<Segment> {
  const { clusterSize, refblockEntries } = geometry;
  const table = new Uint8Array(plan.tableClusters * clusterSize);
  const firstBlock = plan.tableOffset + table.length;
  for (let i = 0; i < plan.blocks; i++) {
    writeWords(table, i * refcountTableEntry.size, offsetWords(firstBlock + i * clusterSize));
  }
  yield { offset: plan.tableOffset, bytes: table };
  const shared = hosts.shared.entries();
  let next = shared.next();
  for (let i = 0; i < plan.blocks; i++) {
    const start = i * refblockEntries;
    const counts = new Uint32Array(Math.min(refblockEntries, plan.clusters - start)).fill(1);
    for (; !next.done && next.value[0] < start + counts.length; next = shared.next()) {
      const [cluster, count] = next.value;
      counts[cluster - start] = count;
    }
    const bytes = new Uint8Array(clusterSize);
    bytes.set(encodeRefcounts(counts, geometry.refcountBits));
    yield { offset: firstBlock + i * clusterSize, bytes };
  }
}
