import type { Geometry } from "../geometry.ts";
import type { GuestCluster, Qcow2Model, SnapshotModel } from "../model.ts";
import { extendedL2Entry, l1Entry, l2Entry } from "../structures.ts";
import { compressPattern, isStored } from "./clusters.ts";
import { dataExtent, type Extent, tableExtent } from "./extent.ts";
import { vmStateClusters } from "./guest.ts";
import { l1EntriesOf, virtualSizeOf } from "./sizes.ts";

/** A guest cluster and the extent of its bytes, if it has any. */
export interface HostCluster {
  readonly cluster: GuestCluster;
  readonly extent: Extent | undefined;
  /** The compressed bytes, if it is compressed. */
  readonly compressed: Uint8Array | undefined;
}

/** An L2 table. */
export interface L2Plan {
  readonly l1Index: number;
  readonly extent: Extent;
  /** Its entries, in the order of their indices. */
  readonly entries: readonly { readonly index: number; readonly host: HostCluster }[];
}

/** The tables of the active image or of a snapshot. */
export interface ViewPlan {
  /** Absent if the table has no entry. */
  readonly l1: Extent | undefined;
  readonly l1Entries: number;
  /** By L1 index; some may belong to another view. */
  readonly tables: readonly L2Plan[];
}

/** All views of an image, and each thing that they need once. */
export interface Views {
  readonly active: ViewPlan;
  readonly snapshots: readonly ViewPlan[];
  /** The parts to place in the image file, in QEMU's order. */
  readonly extents: readonly Extent[];
  /** Tables by their number in `/l2[number]`. */
  readonly tables: readonly L2Plan[];
  /** Everything with bytes, in the image or in the data file. */
  readonly hosts: readonly HostCluster[];
}

/** Plans the active image and its snapshots. */
export function planViews(model: Qcow2Model, geometry: Geometry): Views {
  const planner = new Planner(model, geometry);
  const active = planner.view({
    prefix: "",
    l1Entries: l1EntriesOf(model.size, geometry) + model.placement.spareL1,
    own: model.clusters,
  });
  const hosts = new Map(planner.hosts.map((host) => [host.cluster.index, host]));
  const tables = active.tables;
  const snapshots = model.snapshots.map((snapshot, i) =>
    planner.snapshot(snapshot, { prefix: `/snapshot[${i}]`, hosts, tables })
  );
  const { extents, hosts: all } = planner;
  const stored = all.filter((host) => host.extent !== undefined);
  return { active, snapshots, extents, tables: planner.tables, hosts: stored };
}

interface ViewParts {
  /** The start of the paths of the view's own parts. */
  readonly prefix: string;
  readonly l1Entries: number;
  readonly own: readonly GuestCluster[];
  readonly vmState?: readonly GuestCluster[];
  /** Clusters and tables of another view. */
  readonly shared?: readonly HostCluster[];
  readonly sharedTables?: readonly L2Plan[];
}

class Planner {
  readonly extents: Extent[] = [];
  readonly tables: L2Plan[] = [];
  readonly hosts: HostCluster[] = [];
  readonly #model: Qcow2Model;
  readonly #geometry: Geometry;

  constructor(model: Qcow2Model, geometry: Geometry) {
    this.#model = model;
    this.#geometry = geometry;
  }

  /**
   * A snapshot. It shares a table of the active image if it shares all clusters of it, as in QEMU
   * until one of the two is written to. With an odd seed it has its own table instead.
   */
  snapshot(
    model: SnapshotModel,
    active: { prefix: string; hosts: Map<number, HostCluster>; tables: readonly L2Plan[] },
  ): ViewPlan {
    const { l2Entries } = this.#geometry;
    const vmState = vmStateClusters(model, this.#geometry);
    const lastIndex = vmState.at(-1)?.index;
    const l1Entries = lastIndex === undefined
      ? l1EntriesOf(BigInt(model.size), this.#geometry)
      : Math.floor(lastIndex / l2Entries) + 1;
    const shared = model.shared.flatMap((index) => active.hosts.get(index) ?? []);
    const sharedTables = this.#model.placement.seed % 2 === 1
      ? []
      : wholeTables(active.tables, model, l2Entries);
    const { prefix } = active;
    return this.view({ prefix, l1Entries, own: model.clusters, vmState, shared, sharedTables });
  }

  view(parts: ViewParts): ViewPlan {
    const { prefix, l1Entries, own, vmState = [], shared = [], sharedTables = [] } = parts;
    const l1 = l1Entries === 0 ? undefined : tableExtent(`${prefix}/l1`, l1Entry, l1Entries);
    if (l1 !== undefined) this.extents.push(l1);
    for (const { extent } of sharedTables) extent.refs++;
    for (const { extent } of shared) if (extent !== undefined) extent.refs++;
    const hosts = [
      ...shared,
      ...own.map((cluster) => this.#host(cluster, prefix)),
      ...vmState.map((cluster, i) => this.#vmState(cluster, `${prefix}/vmstate[${i}]`)),
    ];
    const tables = this.#tablesOf(hosts, sharedTables);
    this.#pushInOrder(hosts, { tables, foreign: new Set(shared) });
    const all = [...sharedTables, ...tables].sort((a, b) => a.l1Index - b.l1Index);
    return { l1, l1Entries, tables: all };
  }

  #host(cluster: GuestCluster, prefix: string): HostCluster {
    const { clusterSize } = this.#geometry;
    if (cluster.kind === "compressed") {
      const compressed = compressPattern(cluster, this.#model) as Uint8Array;
      const path = `${prefix}/compressed[${cluster.index}]`;
      const extent = dataExtent(path, compressed.length, cluster.gap);
      return this.#keep({ cluster, extent, compressed });
    }
    const extent = isStored(cluster)
      ? dataExtent(`${prefix}/data[${cluster.index}]`, this.#stored(cluster))
      : undefined;
    if (extent !== undefined && this.#model.dataFile !== undefined) {
      extent.offset = cluster.index * clusterSize;
    }
    return this.#keep({ cluster, extent, compressed: undefined });
  }

  /** Bytes of a cluster that are stored: if the file may end there, only those that a guest sees. */
  #stored({ index }: GuestCluster): number {
    const { clusterSize } = this.#geometry;
    const { size, placement, snapshots, dataFile } = this.#model;
    const visible = virtualSizeOf(size) - index * clusterSize;
    const isCut = placement.cutTail && snapshots.length === 0 && dataFile === undefined;
    return isCut && visible > 0 ? Math.min(clusterSize, visible) : clusterSize;
  }

  #vmState(cluster: GuestCluster, path: string): HostCluster {
    const extent = dataExtent(path, this.#geometry.clusterSize);
    return this.#keep({ cluster, extent, compressed: undefined });
  }

  #keep(host: HostCluster): HostCluster {
    this.hosts.push(host);
    return host;
  }

  /** The tables for clusters that are in none of `others`, numbered by L1 index. */
  #tablesOf(hosts: readonly HostCluster[], others: readonly L2Plan[]): L2Plan[] {
    const { extendedL2, l2Entries } = this.#geometry;
    const elsewhere = new Set(others.map((table) => table.l1Index));
    const byTable = new Map<number, { index: number; host: HostCluster }[]>();
    for (const host of hosts) {
      const l1Index = Math.floor(host.cluster.index / l2Entries);
      if (elsewhere.has(l1Index)) continue;
      const entry = { index: host.cluster.index % l2Entries, host };
      const entries = byTable.get(l1Index);
      if (entries === undefined) byTable.set(l1Index, [entry]);
      else entries.push(entry);
    }
    const described = extendedL2 ? extendedL2Entry : l2Entry;
    const tables = [...byTable].sort(([a], [b]) => a - b).map(([l1Index, entries], i) => ({
      l1Index,
      extent: tableExtent(`/l2[${this.tables.length + i}]`, described, l2Entries),
      entries: entries.sort((a, b) => a.index - b.index),
    }));
    this.tables.push(...tables);
    return tables;
  }

  /** A table is placed before the first cluster that it maps, and clusters in their order. */
  #pushInOrder(
    hosts: readonly HostCluster[],
    { tables, foreign }: { tables: readonly L2Plan[]; foreign: ReadonlySet<HostCluster> },
  ): void {
    const waiting = new Map(tables.map((table) => [table.l1Index, table.extent]));
    for (const host of hosts) {
      const l1Index = Math.floor(host.cluster.index / this.#geometry.l2Entries);
      const table = waiting.get(l1Index);
      if (table !== undefined) this.extents.push(table);
      waiting.delete(l1Index);
      const external = this.#model.dataFile !== undefined;
      if (host.extent !== undefined && !external && !foreign.has(host)) {
        this.extents.push(host.extent);
      }
    }
  }
}

/** The tables of which a snapshot has every entry and no others. */
function wholeTables(
  tables: readonly L2Plan[],
  snapshot: SnapshotModel,
  l2Entries: number,
): L2Plan[] {
  const shared = new Set(snapshot.shared);
  const changed = new Set(snapshot.clusters.map(({ index }) => Math.floor(index / l2Entries)));
  return tables.filter((table) =>
    !changed.has(table.l1Index) &&
    table.entries.every(({ host }) => shared.has(host.cluster.index))
  );
}
