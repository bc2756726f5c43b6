import type { ByteStore } from "../../bytes/mod.ts";
import type { CheckCounts, EditOptions, Repaired } from "../../format/mod.ts";
import { Findings as FindingList } from "../../rules/mod.ts";
import { withReferences } from "../check/check.ts";
import { UNREADABLE } from "../check/refcounts.ts";
import type { Findings } from "../findings.ts";
import { features, limits } from "../structures.ts";
import { WritableImage } from "../write/image.ts";
import { correctCopied } from "../write/repair_dirty.ts";
import { type Count, structuresOf, writeRefcounts } from "./new_refcounts.ts";
import { encodedSnapshots, snapshotTable } from "./snapshot_table.ts";
import { Transition } from "./transition.ts";

/**
 * Repairs what `qemu-img check -r` repairs: leaked clusters, or all refcounts and copied flags. Data and
 * tables stay as they are.
 *
 * @returns `undefined` if the image does not open, or the references cannot be counted
 */
export function repairQcow2(
  store: ByteStore,
  findings: Findings,
  { leaksOnly, ...options }: EditOptions & { readonly leaksOnly: boolean },
): Repaired | undefined {
  const image = WritableImage.openDamaged(store, findings, options);
  if (image === undefined) return undefined;
  if (image.layer.check(findings) === undefined) return undefined;
  const before = stateOf(image);
  const wrong = wrongCounts(image);
  if (wrong === undefined || wrong.mustRebuild && leaksOnly) return undefined;
  if (wrong.mustRebuild) writeRefcounts(image, wrong.all, Math.log2(image.geometry.refcountBits));
  else correct(image, wrong, leaksOnly);
  image.flush();
  image.reopen();
  if (!leaksOnly) completeSnapshots(image);
  const counted = stateOf(image);
  // With wrong refcounts, the flags cannot be compared with them.
  const canTrust = counted.corruptions + counted.leaks + counted.checkErrors === 0;
  if (!leaksOnly || canTrust) correctCopied(image);
  image.flush();
  image.reopen();
  const after = stateOf(image);
  if (after.corruptions + after.flags + after.checkErrors === 0) markClean(image);
  const mended = Math.max(0, before.corruptions - counted.corruptions);
  return {
    corruptions: mended + Math.max(0, counted.flags - after.flags),
    leaks: Math.max(0, before.leaks - after.leaks),
  };
}

/** Corrects the refcounts that are too low before those that are too high. */
function correct(image: WritableImage, wrong: WrongCounts, leaksOnly: boolean): void {
  const { refcounts } = image;
  const low = leaksOnly ? [] : wrong.low;
  for (const [cluster, count] of low) refcounts.set({ first: cluster, count: 1 }, count);
  if (low.length > 0) image.flush();
  for (const [cluster, count] of wrong.high) refcounts.set({ first: cluster, count: 1 }, count);
}

/** What a check counts. Wrong copied flags are not among the corruptions. */
function stateOf(
  { layer }: WritableImage,
): Pick<CheckCounts, "corruptions" | "leaks" | "checkErrors"> & { readonly flags: number } {
  const found: Findings = new FindingList();
  const counts = layer.check(found);
  const { corruptions, leaks, checkErrors } = counts ?? NOT_COUNTED;
  const flags = found.count("qcow2.check.copied-l1") + found.count("qcow2.check.copied-l2");
  return { corruptions: corruptions - flags, leaks, checkErrors, flags };
}

const NOT_COUNTED = { corruptions: 0, leaks: 0, checkErrors: 1 };

/** Writes the snapshot table again if entries lack what version 3 requires, as QEMU does. */
function completeSnapshots(image: WritableImage): void {
  const snapshots = [...image.opened.snapshots.snapshots];
  const isWhole = snapshots.length === image.file.header.nb_snapshots;
  const lacking = snapshots.some(({ extra_data_size }) => extra_data_size < limits.snapshotExtraV3);
  if (image.version < 3 || !lacking || !isWhole) return;
  const transition = new Transition(image);
  transition.commit(snapshotTable(image, transition, encodedSnapshots(image, snapshots)));
}

function markClean(image: WritableImage): void {
  const { incompatible_features } = image.file.header;
  const marks = features.dirty | features.corrupt;
  if ((incompatible_features & marks) === 0n) return;
  image.setHeader({ incompatible_features: incompatible_features & ~marks });
  image.flush();
}

interface WrongCounts {
  /** Clusters with a refcount that is too low or too high, and the number of their references. */
  readonly low: readonly Count[];
  readonly high: readonly Count[];
  /** The references to all clusters, without those of the refcount structures. */
  readonly all: readonly Count[];
  /** The refcount structures themselves are damaged, or some are missing. */
  readonly mustRebuild: boolean;
}

function wrongCounts(image: WritableImage): WrongCounts | undefined {
  const found: Findings = new FindingList();
  return withReferences(image.layer.checked(), found, ({ stored, references }) => {
    const low: Count[] = [];
    const high: Count[] = [];
    const all: Count[] = [];
    const own = structuresOf(image);
    let mustRebuild = REFCOUNT_RULES.some((rule) => found.count(rule) > 0);
    const next = (from: number): number =>
      Math.min(stored.nextCounted(from), references.nextCounted(from));
    for (let cluster = next(0); cluster < references.clusters; cluster = next(cluster + 1)) {
      const count = references.of(cluster);
      const is = stored.of(cluster);
      const rest = count - (own.get(cluster) ?? 0);
      if (rest > 0) all.push([cluster, rest]);
      if (is === UNREADABLE || is === 0 && count > 0) mustRebuild = true;
      if (is !== count) (is < count ? low : high).push([cluster, count]);
    }
    return { low, high, all, mustRebuild };
  });
}

/** Damage of refcount structures. */
const REFCOUNT_RULES = [
  "qcow2.check.reftable-reserved",
  "qcow2.check.refblock-aligned",
  "qcow2.check.refblock-outside",
  "qcow2.check.refblock-shared",
] as const;
