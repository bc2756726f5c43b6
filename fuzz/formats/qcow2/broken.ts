import { SECTOR } from "../../../src/bytes/mod.ts";
import { header, type Qcow2Model, snapshotExtra } from "../../../src/qcow2/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";

/** Rules that an encryption header may break. */
const LUKS_RULES: readonly RuleId[] = ["luks.payload.alignment", "luks.header.uuid"];

/** The rules that a sound image breaks; `undefined` for those that do not follow from its model. */
export function brokenByQcow2(model: Qcow2Model): Map<RuleId, boolean | undefined> {
  const { size, snapshots, bitmaps, encryption, placement: { far, leaks } } = model;
  const sectors = (bytes: bigint): bigint => bytes / BigInt(SECTOR);
  return new Map<RuleId, boolean | undefined>([
    ["qcow2.header.size-512", sectors(size) * BigInt(SECTOR) !== size],
    ["qcow2.header.unknown-fields", model.version === 3 && model.headerLength > header.size],
    ["qcow2.header.autoclear-unknown", model.unknownAutoclear !== 0n],
    ["qcow2.header.compat-unknown", model.unknownCompatible !== 0n],
    ["qcow2.header.corrupt-rw", model.corrupt],
    ["qcow2.header.dirty-repair", model.dirty],
    ["qcow2.ext.unknown", model.unknownExtensions.length > 0],
    ["qcow2.bitmap.in-use", bitmaps.some(({ inUse }) => inUse)],
    [
      "qcow2.snap.size-differs",
      snapshots.some((snapshot) =>
        snapshot.extraSize >= snapshotExtra.offsets.icount &&
        sectors(BigInt(snapshot.size)) !== sectors(size)
      ),
    ],
    // Behind a hole that reaches far, not everything is counted.
    ["qcow2.check.refcount-high", far === undefined ? leaks > 0 : undefined],
    ["qcow2.check.length", far === undefined ? false : undefined],
    ["qcow2.crypt.aes-key-size", encryption?.kind === "aes" ? undefined : false],
    ...LUKS_RULES.map((rule): [RuleId, boolean | undefined] => [
      rule,
      encryption?.kind === "luks" ? undefined : false,
    ]),
  ]);
}
