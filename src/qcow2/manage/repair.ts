import type { ByteStore } from "../../bytes/mod.ts";
import type { CheckCounts, EditOptions, Repaired } from "../../format/mod.ts";
import { Findings as FindingList } from "../../rules/mod.ts";
import type { Findings } from "../findings.ts";
import { features } from "../structures.ts";
import { WritableImage } from "../write/image.ts";
import type { Count } from "../write/refcount_block.ts";
import { correctCopied, setCounts, type WrongCounts, wrongCounts } from "../write/repair_dirty.ts";
import { structuresOf, writeRefcounts } from "./new_refcounts.ts";
import { completeSnapshots } from "./snapshot_table.ts";

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
  const damage = damageOf(image);
  if (damage === undefined || damage.mustRebuild && leaksOnly) return undefined;
  if (damage.mustRebuild) writeRefcounts(image, damage.all, Math.log2(image.geometry.refcountBits));
  else setCounts(image, leaksOnly ? { ...damage, low: [] } : damage);
  image.flush();
  image.reopen();
  const isWhole = image.opened.snapshots.snapshots.length === image.file.header.nb_snapshots;
  if (!leaksOnly && image.version >= 3 && isWhole) completeSnapshots(image);
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

function markClean(image: WritableImage): void {
  const { incompatible_features } = image.file.header;
  const marks = features.dirty | features.corrupt;
  if ((incompatible_features & marks) === 0n) return;
  image.setHeader({ incompatible_features: incompatible_features & ~marks });
  image.flush();
}

interface Damage extends WrongCounts {
  /** The references to all clusters, without those of the refcount structures. */
  readonly all: readonly Count[];
  /** The refcount structures themselves are damaged, or some are missing. */
  readonly mustRebuild: boolean;
}

function damageOf(image: WritableImage): Damage | undefined {
  const found: Findings = new FindingList();
  const own = structuresOf(image);
  const all: Count[] = [];
  let isMissing = false;
  const wrong = wrongCounts(image, found, (cluster, count, stored) => {
    const rest = count - (own.get(cluster) ?? 0);
    if (rest > 0) all.push([cluster, rest]);
    if (stored === 0 && count > 0) isMissing = true;
  });
  if (wrong === undefined) return undefined;
  const isDamaged = REFCOUNT_RULES.some((rule) => found.count(rule) > 0);
  return { ...wrong, all, mustRebuild: isDamaged || isMissing || !wrong.areReadable };
}

/** Damage of refcount structures. */
const REFCOUNT_RULES = [
  "qcow2.check.reftable-reserved",
  "qcow2.check.refblock-aligned",
  "qcow2.check.refblock-outside",
  "qcow2.check.refblock-shared",
] as const;
