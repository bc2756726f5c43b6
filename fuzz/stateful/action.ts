import { SECTOR } from "../../src/bytes/mod.ts";
import type { Range } from "../generate/mod.ts";
import { isTooLarge, type KeptDisk, type State } from "./state.ts";
import type { Action, Place, Step } from "./step.ts";

/** Bytes of a range; one cluster at least. */
const LENGTH_MAX = 2 ** 18;
/** Bits of a bitmap that a step adds: QEMU keeps all of them in memory. */
const BITS_MAX = 2 ** 20;

/** The action of a step; `undefined` if the image has nothing that it could be applied to. */
export function actionOf(step: Step, state: State): Action | undefined {
  const { disk: { size }, facts, snapshots, bitmaps } = state;
  switch (step.do) {
    case "write":
    case "zero":
    case "discard": {
      if (step.do === "zero" && !facts.zeroes) return undefined;
      if (step.do === "discard" && facts.discards === "none") return undefined;
      const range = rangeOf(step.at, state);
      if (range.start >= range.end) return undefined;
      const { at: _, ...rest } = step;
      return { ...rest, range } as Action;
    }
    case "compressed": {
      const start = rangeOf(step.at, state).start;
      const range = clusterAt(start, state);
      if (!facts.compresses || range.start >= range.end) return undefined;
      const isTouched = state.touched.some(({ start, end }) =>
        start < range.end && range.start < end
      );
      if (!facts.compressesOver && isTouched) return undefined;
      return { do: step.do, range, pattern: step.pattern };
    }
    case "empty":
      if (!facts.empties || size === 0) return undefined;
      return { do: step.do, range: { start: 0, end: size } };
    case "flush":
    case "reopen":
      return { do: step.do };
    case "resize": {
      const { clusters, sectors } = step;
      const next = size + clusters * facts.clusterSize + sectors * SECTOR;
      if (!facts.resizes || next === size || next <= 0) return undefined;
      if (next > facts.sizeMax && !isTooLarge(next, facts)) return undefined;
      return { do: step.do, size: next, from: size };
    }
    case "snapshot":
      if (!facts.snapshots) return undefined;
      return { do: step.do, name: `snap-${state.made}` };
    case "key-add":
      return facts.keys ? { do: step.do, name: `key ${state.made}` } : undefined;
    case "key-erase": {
      const name = facts.keys ? state.keys[step.index % state.keys.length] : undefined;
      return name === undefined ? undefined : { do: step.do, name };
    }
    case "apply":
    case "delete": {
      if (step.do === "apply" && !facts.appliesOverBitmaps && bitmaps.length > 0) return undefined;
      const snapshot = snapshots[step.index % snapshots.length];
      if (snapshot === undefined) return undefined;
      const { name, id } = snapshot;
      if (step.do === "delete" && !isNamed(snapshot, snapshots)) return undefined;
      return { do: step.do, name, ...(id === undefined ? {} : { id }) };
    }
    case "bitmap-add": {
      const granularity = 2 ** step.granularityBits;
      // qemu-img says that it added a bitmap to a disk of no bytes, and adds none.
      if (!facts.bitmaps || size === 0 || size / granularity > BITS_MAX) return undefined;
      return { do: step.do, name: `map-${state.made}`, granularity, enabled: step.enabled };
    }
    case "bitmap-merge": {
      const [target, source] = [step.index, step.source].map((at) => bitmaps[at % bitmaps.length]);
      if (target === undefined || source === undefined || target === source) return undefined;
      return { do: step.do, name: target.name, source: source.name };
    }
    default: {
      const bitmap = bitmaps[step.index % bitmaps.length];
      return bitmap === undefined ? undefined : { do: step.do, name: bitmap.name };
    }
  }
}

/** Whether a name alone selects a snapshot, for readers that look for ids too. */
function isNamed({ name, id }: KeptDisk, snapshots: readonly KeptDisk[]): boolean {
  return name !== "" && snapshots.every((it) => it.id === id || it.name !== name && it.id !== name);
}

function rangeOf({ cluster, skip, clusters, bytes }: Place, { disk, facts }: State): Range {
  const unit = facts.clusterSize;
  const count = Math.max(1, Math.ceil(disk.size / unit));
  const start = (cluster % count) * unit + skip % unit;
  const length = Math.min(LENGTH_MAX, clusters * unit + bytes % unit || unit);
  return { start, end: Math.min(disk.size, start + length) };
}

function clusterAt(at: number, { disk, facts }: State): Range {
  const start = Math.floor(at / facts.clusterSize) * facts.clusterSize;
  return { start, end: Math.min(disk.size, start + facts.clusterSize) };
}

/** An action in a line. */
export function describeAction(action: Action): string {
  switch (action.do) {
    case "write":
    case "compressed":
    case "zero":
    case "discard": {
      const { range: { start, end } } = action;
      const how = action.do === "zero"
        ? (action.unmap ? " unmap" : "")
        : action.do === "discard"
        ? ""
        : ` ${action.pattern.kind} ${action.pattern.seed}`;
      return `${action.do} ${end - start} bytes at ${start}${how}`;
    }
    case "empty":
    case "flush":
    case "reopen":
      return action.do;
    case "resize":
      return `resize from ${action.from} to ${action.size} bytes`;
    case "bitmap-add":
      return `bitmap-add ${action.name} granularity ${action.granularity}${
        action.enabled ? "" : " disabled"
      }`;
    case "bitmap-merge":
      return `bitmap-merge ${action.source} into ${action.name}`;
    default:
      return `${action.do} ${JSON.stringify(action.name)}`;
  }
}
