import { storedSize } from "../bytes/mod.ts";
import { AccessError, type Layer, type Use } from "../format/mod.ts";
import { digestOf, extentsOf, layersOf, type OpenedImage, tryReading } from "../image/mod.ts";
import { type RuleId, ruleOf } from "../rules/mod.ts";
import { isNeeded, isOfStream } from "./needed.ts";
import { type ExpectationQuery, locksOf, PAST_EOF, type Weight, weightOf } from "./weight.ts";

/** Longest range that is read to find out whether it can be read, in bytes. */
const RANGE_MAX = 2 ** 32;

/** The weight of the rule that makes reading fail; nothing if reading succeeds. */
export function readingWeight(image: OpenedImage, query: ExpectationQuery): Weight | undefined {
  const layers = image.layer === undefined
    ? undefined
    : layersOf(image, query.use === "snapshot" ? query.snapshot : undefined);
  if (layers === undefined || layers.length === 0 || image.incomplete) return undefined;
  const size = storedSize(image.source);
  const id = failureOf(layers, query, size);
  if (id === undefined) {
    // A reader may insist on whole clusters, and one that does not reads zeros.
    return query.use !== "map" && endsInCluster(image, layers)
      ? { rule: PAST_EOF, verdict: "either", reason: "habit" }
      : undefined;
  }
  if (id === "unknown") {
    return { rule: "diskproof.work.budget", verdict: "either", reason: "unknown", anyAnswer: true };
  }
  if (typeof id !== "string") return notNeeded(id.ofZeros);
  const isLock = locksOf(image)[id] !== undefined;
  if (query.use === "map" && (isLock || !isNeeded(id, "map"))) return notNeeded(id);
  if (isOfStream(id) && readsPartOfCluster(layers, query, size)) return notNeeded(id);
  if (ruleOf(id).class === "spec") return { rule: id, verdict: "must-reject" };
  return isLock
    ? weightOf(image, id, query.use as Use)
    : { rule: id, verdict: "either", reason: "limit", anyAnswer: true };
}

function notNeeded(rule: RuleId): Weight {
  return { rule, verdict: "either", reason: "not-needed", anyAnswer: true };
}

/** Who needs only a part of the damaged cluster may stop before the damage. */
function readsPartOfCluster(
  layers: readonly Layer[],
  { use, range }: ExpectationQuery,
  size: number,
): boolean {
  if (range !== undefined) return true;
  const [{ virtualSize, clusterSize } = { virtualSize: 0, clusterSize: 1 }] = layers;
  const length = virtualSize - virtualSize % clusterSize;
  return length < virtualSize &&
    failureOf(layers, { use, range: { start: 0, length } }, size) === undefined;
}

function failureOf(
  layers: readonly Layer[],
  { use, range }: ExpectationQuery,
  size: number,
): RuleId | "unknown" | OfZeros | undefined {
  try {
    if (range !== undefined && range.length > RANGE_MAX) return "unknown";
    const mapping = mappingFailure(layers, range);
    if (use === "map" || mapping !== undefined) return mapping;
    if (range === undefined) {
      const tried = tryReading(layers, size);
      return tried.read === "ok" ? undefined : tried.broken.rule;
    }
    digestOf(layers, { from: range.start, to: range.start + range.length });
    return undefined;
  } catch (error) {
    if (error instanceof AccessError) return error.broken.rule;
    throw error;
  }
}

/** Extents of a map that are looked up. */
const EXTENTS_MAX = 2 ** 20;

/** Whether the file of the image ends within a cluster of data. */
function endsInCluster(image: OpenedImage, layers: readonly Layer[]): boolean {
  const [top] = layers;
  if (top === undefined || top.dataFile !== undefined) return false;
  let left = EXTENTS_MAX;
  for (const { kind, host, length } of top.runs(0, top.virtualSize)) {
    if (kind === "data" && host !== undefined && host + length > image.source.size) return true;
    if (left-- === 0) break;
  }
  return false;
}

/** A rule that only entries for zeros break: their content is known without the broken part. */
interface OfZeros {
  readonly ofZeros: RuleId;
}

function mappingFailure(
  layers: readonly Layer[],
  { start, length }: NonNullable<ExpectationQuery["range"]> = {
    start: 0,
    length: layers[0]?.virtualSize ?? 0,
  },
): RuleId | OfZeros | undefined {
  let left = EXTENTS_MAX;
  let ofZeros: OfZeros | undefined;
  for (const { broken, run } of extentsOf(layers, start, start + length)) {
    if (broken !== undefined && run.kind !== "zero") return broken.rule;
    if (broken !== undefined) ofZeros = { ofZeros: broken.rule };
    if (left-- === 0) break;
  }
  return ofZeros;
}
