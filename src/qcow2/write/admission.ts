import type { ByteStore } from "../../bytes/mod.ts";
import type { EditOptions } from "../../format/mod.ts";
import { type Finding, Findings as FindingList, ruleOf } from "../../rules/mod.ts";
import { has } from "../decode.ts";
import { openQcow2 } from "../driver.ts";
import type { Findings } from "../findings.ts";
import { type OpenedQcow2, Qcow2Layer } from "../layer.ts";

/** Damage that a write does not make worse: the cluster cannot be read, and can be overwritten. */
const HARMLESS: ReadonlySet<string> = new Set(["qcow2.comp.inflate", "qcow2.comp.zstd"]);
/** Effects that mean that the tables or refcounts are wrong. */
const UNSAFE: ReadonlySet<string> = new Set([
  "fails-at-access",
  "refused-at-write",
  "corruption",
  "check-error",
]);

/**
 * Opens an image and decides whether it may be written to. QEMU notices broken tables when a write
 * uses them and then marks the image as corrupt. Here they are found first, and the image is rejected.
 *
 * @returns `undefined` if a finding says that it must not be written
 */
export function admit(
  store: ByteStore,
  findings: Findings,
  options: EditOptions,
): OpenedQcow2 | undefined {
  const image = openQcow2(store, findings, options);
  if (image === undefined || findings.refusal("write") !== undefined) return undefined;
  const { file } = image;
  if (has(file, "dataFile") && options.dataFile === undefined) {
    const place = { path: "/data" };
    findings.addLast("qcow2.datafile.opens", place, "The external data file is not open");
    return undefined;
  }
  return isSafe(image, findings, options) ? image : undefined;
}

/** Judges the tables and refcounts. Of a dirty image, the refcounts are not judged: they are repaired. */
export function isSafe(
  image: OpenedQcow2,
  findings: Findings,
  { dataFile }: Pick<EditOptions, "dataFile">,
): boolean {
  const found: Findings = new FindingList();
  const layer = new Qcow2Layer(image);
  if (dataFile !== undefined) layer.attachDataFile(dataFile);
  layer.judge(found, { decompress: false });
  layer.check(found);
  const unsafe = found.list().filter((finding) => isUnsafe(finding, layer.dirty));
  for (const { rule, path, offset, message } of unsafe) {
    const place = { path, ...(offset === null ? {} : { offset: BigInt(offset) }) };
    findings.add(rule as Parameters<Findings["add"]>[0], place, message);
  }
  return unsafe.length === 0;
}

function isUnsafe({ rule, level, effect }: Finding, dirty: boolean): boolean {
  if (level !== "must" || !UNSAFE.has(effect) || HARMLESS.has(rule)) return false;
  return !(dirty && ruleOf(rule).excusedWhenDirty === true);
}
