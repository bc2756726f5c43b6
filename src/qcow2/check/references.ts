import { hex } from "../../bytes/mod.ts";
import type { Sink } from "../../layout/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { Findings, FoundRule } from "../findings.ts";
import { ClusterCounts } from "./cluster_counts.ts";
import type { StoredRefcounts } from "./refcounts.ts";

/** The reason why a check ends without counts. */
export class CheckAborted extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CheckAborted";
  }
}

/** A path, or a function that computes it on demand. */
export type Path = string | (() => string);

/** The place of a finding, and the number of times it counts. */
export interface Mark {
  readonly path: Path;
  readonly offset: number;
  readonly times?: number;
}

/** QEMU treats offsets from this one on as negative. No file is that long. */
const NEGATIVE_OFFSET = 2 ** 63;

/**
 * Counts the references to host clusters, as QEMU's in-memory refcount table does: a count does not
 * exceed the largest refcount of the image, and each further reference is a corruption.
 */
export class References {
  readonly findings: Findings;
  corruptions = 0;
  leaks = 0;
  checkErrors = 0;
  /** Records each finding as one corruption. */
  readonly corrupted: Sink<FoundRule, Mark> = {
    add: (rule, at, says) => this.corrupt(rule, at, says),
  };
  /** Ends the check at the first finding. */
  readonly fatal: Sink<FoundRule, Mark> = { add: (rule, at, says) => this.abort(rule, at, says()) };
  readonly #geometry: Geometry;
  /** Length of the file in bytes, rounded up to 512. */
  readonly #fileLength: number;
  /**
   * Counts go up to 2^53: the largest refcount may be more, but no file has that many references.
   */
  readonly #counts: ClusterCounts;
  #clusters: number;
  readonly #max: number;

  /** @param file length of the file in bytes, rounded up to 512, and the bytes that are stored of it */
  constructor(file: { length: number; stored: number }, geometry: Geometry, findings: Findings) {
    this.findings = findings;
    this.#counts = new ClusterCounts(file.stored);
    this.#geometry = geometry;
    this.#fileLength = file.length;
    this.#clusters = Math.ceil(file.length / geometry.clusterSize);
    this.#max = Number(geometry.refcountMax);
  }

  /** Number of host clusters that are checked. */
  get clusters(): number {
    return this.#clusters;
  }

  of(cluster: number): number {
    return this.#counts.get(cluster);
  }

  /**
   * The first cluster at or after `from` that may have references or a stored refcount; `clusters` if
   * there is none. A file may be long and hold next to nothing.
   */
  nextCounted(from: number, stored: StoredRefcounts): number {
    return stored.nextCounted(from, this.#counts.next(from, this.#clusters));
  }

  /** Records `times` corruptions of one kind at one place. */
  corrupt(
    rule: FoundRule,
    at: { path: Path; offset?: number; times?: number },
    message: string | (() => string),
  ): void {
    this.corruptions += at.times ?? 1;
    this.findings.add(rule, () => place(at), message);
  }

  /** Records an error of the check itself and ends it. */
  abort(rule: FoundRule, at: { path: Path; offset?: number }, message: string): never {
    this.checkErrors += 1;
    this.findings.add(rule, place(at), message);
    throw new CheckAborted(message);
  }

  /**
   * References every cluster that `[offset, offset + size)` touches, `times` times
   * (qcow2_inc_refcounts_imrt). The last cluster may end past the end of the file, but not start there.
   */
  add(region: { offset: number; size: number; path: Path; times?: number }): void {
    const { offset, size, path } = region;
    const times = region.times ?? 1;
    const { clusterSize } = this.#geometry;
    if (size <= 0) return;
    if (offset >= NEGATIVE_OFFSET) {
      this.abort(
        "qcow2.check.l2-io",
        { path, offset },
        `The offset ${hex(offset)} is too large to read`,
      );
    }
    if (offset + size - this.#fileLength >= clusterSize) {
      const message = (): string =>
        `It ends at ${hex(offset + size)}, a cluster or more past the end of the file`;
      this.corrupt("qcow2.check.region-beyond-eof", { path, offset, times }, message);
      return;
    }
    const last = Math.floor((offset + size - 1) / clusterSize);
    for (let k = Math.floor(offset / clusterSize); k <= last; k++) {
      if (k < last) k += this.addRun(k * clusterSize, last - k, times);
      this.#reference(k, times, path);
    }
  }

  /**
   * References adjacent clusters, up to the first one about which {@link add} would record something.
   *
   * @param offset of the first cluster
   * @returns how many clusters were referenced; it may be 0
   */
  addRun(offset: number, length: number, times: number): number {
    const { clusterSize } = this.#geometry;
    const first = offset / clusterSize;
    const inFile = Math.min(length, Math.ceil(this.#fileLength / clusterSize) - first);
    if (inFile <= 0) return 0;
    return this.#counts.addRun(first, inFile, { times, max: this.#max });
  }

  /** The number of clusters from `cluster` on, of at most so many, that are known to have its count. */
  same(cluster: number, most: number): number {
    return this.#counts.same(cluster, most);
  }

  #reference(cluster: number, times: number, path: Path): void {
    if (cluster >= this.#clusters) this.#clusters = cluster + 1;
    const count = this.#counts.get(cluster) + times;
    this.#counts.set(cluster, Math.min(count, this.#max));
    if (count <= this.#max) return;
    const offset = cluster * this.#geometry.clusterSize;
    this.corrupt(
      "qcow2.check.refcount-overflow",
      { path, offset, times: count - this.#max },
      () => `The cluster at ${hex(offset)} has more references than a refcount can represent`,
    );
  }
}

function place(at: { path: Path; offset?: number }): { path: string; offset?: number } {
  const path = typeof at.path === "string" ? at.path : at.path();
  return at.offset === undefined ? { path } : { path, offset: at.offset };
}
