import { FoldedRanges } from "../../format/mod.ts";
import type { References } from "../check/references.ts";
import { type StoredRefcounts, UNREADABLE } from "../check/refcounts.ts";
import type { Geometry } from "../geometry.ts";

/** Leaked clusters that are kept one by one, to find L2 tables among them. */
const LEAKS_KEPT = 2 ** 16;

/** What is wrong with the refcounts of an image, by host ranges. */
export class RefcountDamage {
  /** Clusters that are in use and not counted, because their refcount block counts nothing. */
  readonly uncounted = new FoldedRanges();
  /** Number of refcount blocks that count nothing, or are missing. */
  blocks = 0;
  /** Other clusters with too low a refcount. */
  readonly low = new FoldedRanges();
  /** Clusters that nothing refers to. */
  readonly leaked = new FoldedRanges();
  /** The first of them, by number. */
  readonly leaks: number[] = [];
  /** Clusters with more refcounts than references. */
  high = 0;

  constructor(stored: StoredRefcounts, references: References, geometry: Geometry) {
    const { clusterSize, refblockEntries } = geometry;
    const next = (from: number): number => references.nextCounted(from, stored);
    let block = new Block(-1);
    for (let cluster = next(0); cluster < references.clusters; cluster = next(cluster + 1)) {
      const number = Math.floor(cluster / refblockEntries);
      if (number !== block.number) {
        this.#close(block);
        block = new Block(number);
      }
      const refcount = stored.of(cluster);
      const expected = references.of(cluster);
      if (refcount !== UNREADABLE && refcount > 0) block.countsAny = true;
      if (refcount < expected) block.low.add(cluster * clusterSize, clusterSize);
      else if (refcount > expected) this.#leak(cluster, { expected, clusterSize });
    }
    this.#close(block);
  }

  #leak(
    cluster: number,
    { expected, clusterSize }: { expected: number; clusterSize: number },
  ): void {
    if (expected > 0) this.high++;
    else {
      this.leaked.add(cluster * clusterSize, clusterSize);
      if (this.leaks.length < LEAKS_KEPT) this.leaks.push(cluster);
    }
  }

  #close({ low, countsAny }: Block): void {
    if (low.count === 0) return;
    if (!countsAny) this.blocks++;
    (countsAny ? this.low : this.uncounted).append(low);
  }
}

/** The clusters of one refcount block. */
class Block {
  readonly low = new FoldedRanges();
  countsAny = false;

  constructor(readonly number: number) {}
}
