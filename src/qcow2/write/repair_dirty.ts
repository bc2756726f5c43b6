import { EditError, type EditOptions } from "../../format/mod.ts";
import { Findings as FindingList } from "../../rules/mod.ts";
import { withReferences } from "../check/check.ts";
import { UNREADABLE } from "../check/refcounts.ts";
import type { Findings } from "../findings.ts";
import type { EntryContext } from "../l2_entries.ts";
import type { OpenedQcow2, Qcow2Layer } from "../layer.ts";
import { isSafe } from "./admission.ts";
import type { HostFile } from "./host.ts";
import type { Count } from "./refcount_block.ts";
import type { Refcounts } from "./refcounts.ts";
import { activeL1, flagged, tablesOf, wrongFlags } from "./walk.ts";

/** An image that is repaired. */
export interface RepairedImage extends HostFile {
  readonly refcounts: Refcounts;
  readonly context: EntryContext;
  readonly opened: OpenedQcow2;
  /** The image as it is now. */
  readonly layer: Qcow2Layer;
  readonly options: EditOptions;
  /** Decodes the header again, after tables were written. */
  reopen(): void;
  /** Clears the dirty bit. */
  clearDirty(): void;
  /** Makes everything durable. */
  flush(): void;
}

/** The clusters whose stored refcount is wrong, with the number of their references. */
export interface WrongCounts {
  /** The stored refcount is too small. */
  readonly low: readonly Count[];
  /** It is too large. */
  readonly high: readonly Count[];
  /** All refcounts can be read. */
  readonly areReadable: boolean;
  /** No cluster from this one on has references. */
  readonly end: number;
}

/**
 * Corrects the refcounts and copied flags of a dirty image, and clears the dirty bit. Until that is
 * durable, the bit says that refcounts may be wrong.
 *
 * @throws {EditError} if references cannot be counted
 */
export function repairDirty(image: RepairedImage): void {
  const wrong = wrongCounts(image, new FindingList());
  if (wrong?.areReadable !== true) {
    throw new EditError("The references to clusters cannot be counted");
  }
  setCounts(image, wrong);
  correctCopied(image);
  image.flush();
  image.reopen();
  const findings = new FindingList();
  if (!isSafe(image.opened, findings, image.options)) {
    const [first] = findings.list();
    throw new EditError(`Cannot repair the refcounts: ${first?.message ?? "they are wrong"}`);
  }
  image.clearDirty();
  image.flush();
}

/**
 * Compares the stored refcounts with the references.
 *
 * @param visit is called for each cluster that has references or a refcount block
 * @returns `undefined` if the references cannot be counted
 */
export function wrongCounts(
  { layer }: RepairedImage,
  findings: Findings,
  visit: (cluster: number, count: number, stored: number) => void = () => {},
): WrongCounts | undefined {
  return withReferences(layer.checked(), findings, ({ stored, references }) => {
    const low: Count[] = [];
    const high: Count[] = [];
    let areReadable = true;
    const next = (from: number): number => references.nextCounted(from, stored);
    for (let cluster = next(0); cluster < references.clusters; cluster = next(cluster + 1)) {
      const count = references.of(cluster);
      const is = stored.of(cluster);
      visit(cluster, count, is);
      if (is === UNREADABLE) areReadable = false;
      else if (is !== count) (is < count ? low : high).push([cluster, count]);
    }
    return { low, high, areReadable, end: references.clusters };
  });
}

/** Corrects refcounts, the ones that are too small first. */
export function setCounts(
  image: RepairedImage,
  { low, high, end }: Omit<WrongCounts, "areReadable">,
): void {
  for (const [cluster, count] of low) {
    // New refcount blocks go where nothing is, even what has no refcount yet.
    image.refcounts.cover({ first: cluster, count: 1 }, end);
    image.refcounts.set({ first: cluster, count: 1 }, count);
  }
  if (low.length > 0) image.flush();
  for (const [cluster, count] of high) image.refcounts.set({ first: cluster, count: 1 }, count);
}

/** Makes the copied flags of the active tables agree with the refcounts. */
export function correctCopied(image: RepairedImage): void {
  const { context, geometry: { clusterSize }, refcounts } = image;
  const isCopied = (cluster: number): boolean => refcounts.of(cluster) === 1;
  const l1 = activeL1(image);
  const seen = new Set<number>();
  for (const [index, offset] of tablesOf(l1)) {
    const words = flagged(l1.entry(index), isCopied(Math.floor(offset / clusterSize)));
    if (words !== undefined) image.setWords(l1.offsetOf(index), words);
    if (seen.has(offset) || context.dataFile) continue;
    seen.add(offset);
    for (const [at, entry] of wrongFlags(image, offset, isCopied)) image.setWords(at, entry);
  }
}
