import { type ByteSource, isZero, storedSize } from "../../bytes/mod.ts";
import type { KnownFacts, WorkBudget } from "../../format/mod.ts";
import { StoredRefcounts } from "../check/refcounts.ts";
import { limits } from "../structures.ts";
import {
  byScore,
  type Candidate,
  candidateGeometry,
  checkedImage,
  type ClusterRange,
  evaluate,
  type Evaluation,
  isExact,
} from "./candidate.ts";
import { findL1Tables } from "./l1_tables.ts";
import { clustersOf, findOtherTables } from "./other_tables.ts";
import { findReftables, type Reftable } from "./reftables.ts";
import { isDoubtful } from "./size.ts";
import { survey } from "./survey.ts";
import { findTables, type TableBlocks } from "./table_blocks.ts";

/** Table entries that are read besides one for so many bytes of the file. */
const WORK = 2 ** 26;
const BYTES_PER_WORK = 16;
/** Candidates that are evaluated: each costs a walk through all of its tables. */
const EVALUATIONS_MAX = 96;
/** L1 tables that are tried with one refcount table. */
const L1_MAX = 4;

/** What came of a search. */
export interface Search {
  /** The candidates, the best first. */
  readonly evaluations: readonly Evaluation[];
  /** Not every candidate was evaluated. */
  readonly cut: boolean;
}

/** Searches a file for the tables of an image whose header is lost. */
export function searchTables(source: ByteSource, known: KnownFacts = {}): Search {
  return new TableSearch(source).search(known);
}

const VARIANTS = [
  { extendedL2: false, dataFile: false },
  { extendedL2: true, dataFile: false },
  { extendedL2: false, dataFile: true },
  { extendedL2: true, dataFile: true },
];

const NOWHERE: ClusterRange = { offset: 0, clusters: 0 };

class TableSearch {
  readonly #source: ByteSource;
  readonly #blocks: TableBlocks;
  readonly #found: Evaluation[] = [];
  readonly #work: WorkBudget;
  readonly #l1Tables = new Map<Reftable, ClusterRange[]>();
  #left = EVALUATIONS_MAX;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#blocks = findTables(source);
    this.#work = { left: WORK + storedSize(source) / BYTES_PER_WORK };
  }

  search({ extendedL2 }: KnownFacts): Search {
    const variants = VARIANTS.filter((variant) => extendedL2 !== true || variant.extendedL2);
    for (const reftable of findReftables(this.#source, this.#blocks, this.#work)) {
      // A table that agrees with itself is not explained better by one that does not.
      if (reftable.agreement < 1 && this.#found.some(isExact)) break;
      // Of the others, only those with the usual entries may explain as much.
      const count = this.#found.some(isExact) ? 1 : VARIANTS.length;
      for (const variant of variants.slice(0, count)) {
        if (this.#isSpent) break;
        if (variant.extendedL2 && reftable.clusterBits < limits.extendedClusterBits) continue;
        const best = this.#best(reftable, variant);
        if (best === undefined) continue;
        const before = this.#found.at(-1);
        if (isExact(best) && before !== undefined && isUnlikely(this.#source, before)) {
          this.#found.pop();
        }
        this.#found.push(best);
        if (isExact(best) && !isUnlikely(this.#source, best)) break;
      }
    }
    const evaluations = this.#found.toSorted(byScore);
    return { evaluations, cut: this.#isSpent && !this.#found.some(isExact) || this.#blocks.more };
  }

  get #isSpent(): boolean {
    return this.#left <= 0 || this.#work.left <= 0;
  }

  /** The best candidate with a refcount table. */
  #best(
    reftable: Reftable,
    variant: { readonly extendedL2: boolean; readonly dataFile: boolean },
  ): Evaluation | undefined {
    const base: Candidate = { reftable, ...variant, l1: NOWHERE };
    const isOne = this.#countsOnce(base);
    const geometry = candidateGeometry(base);
    const { clusterSize } = geometry;
    const search = {
      blocks: this.#blocks,
      reftable,
      geometry,
      isOne,
      work: this.#work,
      clusterSize,
    };
    let tables = this.#l1Tables.get(reftable) ??
      findL1Tables(this.#source, { ...search, excluded: new Set() });
    this.#l1Tables.set(reftable, tables);
    const [first = NOWHERE] = tables;
    const initial = this.#evaluate({ ...base, l1: first });
    if (initial === undefined) return undefined;
    const others = findOtherTables(this.#source, initial.unexplained, search);
    const excluded = clustersOf(this.#source, others, clusterSize);
    if (excluded.size > 0) tables = findL1Tables(this.#source, { ...search, excluded });
    const tried = tables.length === 0
      ? [this.#emptyL1({ ...base, ...others })]
      : tables.slice(0, L1_MAX);
    const found = tried.flatMap((l1) => this.#whole({ ...base, ...others, l1 }));
    return found.toSorted(byScore)[0] ?? initial;
  }

  /** A candidate whose tables have all of their clusters. */
  #whole(candidate: Candidate): Evaluation[] {
    const found = this.#evaluate(candidate);
    if (found === undefined) return [];
    const longer = this.#extended(found);
    const again = longer === undefined ? undefined : this.#evaluate(longer);
    return again === undefined ? [found] : [found, again];
  }

  /** A candidate with the clusters of zeros beside its tables that nothing else refers to. */
  #extended({ candidate, unexplained, geometry }: Evaluation): Candidate | undefined {
    const { clusterSize } = geometry;
    const free = new Set(unexplained);
    const isFree = (offset: number): boolean =>
      free.has(offset) && isZero(this.#source.read(offset, clusterSize));
    const end = ({ offset, clusters }: ClusterRange): number => offset + clusters * clusterSize;
    let { l1 } = candidate;
    let reftable: ClusterRange = candidate.reftable;
    while (l1.clusters > 0 && isFree(l1.offset - clusterSize)) {
      l1 = { offset: l1.offset - clusterSize, clusters: l1.clusters + 1 };
    }
    while (l1.clusters > 0 && isFree(end(l1))) l1 = { ...l1, clusters: l1.clusters + 1 };
    while (isFree(end(reftable)) && end(reftable) !== l1.offset) {
      reftable = { ...reftable, clusters: reftable.clusters + 1 };
    }
    if (l1 === candidate.l1 && reftable === candidate.reftable) return undefined;
    return { ...candidate, l1, reftable: { ...candidate.reftable, ...reftable } };
  }

  /** The L1 table of an image without content: the first clusters in use that are zeros. */
  #emptyL1(candidate: Candidate): ClusterRange {
    const found = this.#evaluate(candidate);
    const { clusterSize } = candidateGeometry(candidate);
    let l1 = NOWHERE;
    for (const offset of found?.unexplained ?? []) {
      const next = l1.offset + l1.clusters * clusterSize;
      if (l1.clusters > 0 && offset !== next) break;
      if (!isZero(this.#source.read(offset, clusterSize))) {
        if (l1.clusters > 0) break;
        continue;
      }
      l1 = { offset: l1.clusters === 0 ? offset : l1.offset, clusters: l1.clusters + 1 };
    }
    return l1;
  }

  #evaluate(candidate: Candidate): Evaluation | undefined {
    if (this.#isSpent) return undefined;
    this.#left--;
    return evaluate(this.#source, candidate, this.#work);
  }

  /** Whether clusters have a refcount of 1; all of them where refcounts are of no use. */
  #countsOnce(base: Candidate): (offset: number) => boolean {
    if (base.reftable.agreement < 1) return () => true;
    const { file, context } = checkedImage(this.#source, base);
    const stored = new StoredRefcounts(file, context.geometry);
    return (offset) => stored.of(offset / context.geometry.clusterSize) === 1;
  }
}

/** Entries at even places only, from which on they are not there by chance. */
const EVEN_MIN = 8;

/** Whether a candidate explains a file that another kind of entries explains better. */
function isUnlikely(source: ByteSource, evaluation: Evaluation): boolean {
  if (!isExact(evaluation)) return false;
  const found = survey(source, evaluation);
  return found.firstOfDataFile && !evaluation.candidate.dataFile ||
    isDoubtful(evaluation, found) && found.entries >= EVEN_MIN;
}
