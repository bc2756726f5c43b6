/**
 * The reference's answers about a qcow image without its backing file, in the shapes of qemu-img.
 */

import type { ByteSource } from "../../src/bytes/mod.ts";
import { AccessError, type Layer } from "../../src/format/mod.ts";
import { comparable, type MapEntry, mergeMap } from "../../src/peers/mod.ts";
import { qcow1Driver } from "../../src/qcow1/mod.ts";
import { type Finding, Findings, type RuleId } from "../../src/rules/mod.ts";

/** An image that was opened and, where it can be walked, judged to its end. */
export interface Opened {
  /** What the open looks at. */
  readonly findings: Findings;
  /** That, and all the rest. */
  readonly all: Findings;
  readonly layer: Layer | undefined;
}

export function openQcow(source: ByteSource): Opened {
  const findings = new Findings();
  const layer = qcow1Driver.open(source, findings);
  const all = new Findings();
  qcow1Driver.open(source, all)?.judge(all);
  return { findings, all, layer };
}

/** The rules that an image breaks, in the order in which that was found. */
export function brokenRules(source: ByteSource): RuleId[] {
  return openQcow(source).all.rules();
}

/** The first finding of a rule. */
export function findingOf(findings: Findings, rule: RuleId): Finding | undefined {
  return findings.list().find((finding) => finding.rule === rule);
}

/** What `map` prints without a backing file. */
export interface MapPrediction {
  readonly fails: boolean;
  /** Where it fails: what a failing qemu-img prints, which lacks the entry that it is at. */
  readonly entries: readonly MapEntry[];
}

export function predictMap(layer: Layer, version: string): MapPrediction {
  const entries: MapEntry[] = [];
  let fails = false;
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.broken !== undefined) {
      fails = true;
      break;
    }
    const { start, length, kind, host } = run;
    const stored = kind !== "unallocated";
    const flags = {
      present: stored,
      zero: !stored,
      data: stored,
      compressed: kind === "compressed",
    };
    const entry = { start, length, depth: 0, ...flags };
    entries.push(host === undefined ? entry : { ...entry, offset: host });
  }
  const merged = mergeMap(entries.map((entry) => {
    const kept: Partial<MapEntry> = { ...entry };
    for (const key of comparable(version).mapWithout) delete kept[key];
    return kept as MapEntry;
  }));
  return { fails, entries: fails ? merged.slice(0, -1) : merged };
}

/** Guest bytes, or the error that QEMU would turn into an input/output error. */
export function readGuest(
  layer: Layer,
  range: { offset: number; length: number },
): Uint8Array | AccessError {
  const target = new Uint8Array(range.length);
  try {
    for (const run of layer.runs(range.offset, range.offset + range.length)) {
      if (run.broken !== undefined) throw new AccessError(run.broken);
      const at = run.start - range.offset;
      if (run.kind === "unallocated") continue;
      layer.readRun(run, 0, target.subarray(at, at + run.length));
    }
    return target;
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
}
