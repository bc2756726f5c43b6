import type { OpenedImage } from "../../../src/image/mod.ts";
import { chooseCopy, decodeLuks2, type JsonNode } from "../../../src/luks2/mod.ts";
import type { VolumeReport } from "../../../src/peers/mod.ts";
import { compareCryptsetup, KEY_SLOT, type Ours, type VolumeKit } from "../../compare/mod.ts";
import type { ToolKit } from "../kit.ts";
import { luks2Divergences } from "./divergences.ts";
import { openedSlot } from "./keys.ts";

/**
 * Compares volumes with cryptsetup: whether it accepts the header, and which slot it opens. Each
 * answer starts a process, which dominates the cost. No device is mapped: content is compared only
 * with recorded answers of cryptsetup.
 */
export const luks2Tools: ToolKit = {
  says: "cryptsetup accepts the same LUKS2 headers and unlocks the same key slots",
  needs: ["cryptsetup"],
  weight: 1,
  asks: { cryptsetup: 12, [KEY_SLOT]: 1 },
  untouched: 10,
  // Two answers together stay below the time limit of a case.
  timeoutMs: 4000,
  divergences: luks2Divergences,
  compare: (asked, ask, tools) => compareCryptsetup(asked, volumeKit, { ask, tools }),
};

const volumeKit: VolumeKit = {
  report,
  unlock: ({ header, source }, passphrase, only) => openedSlot(header ?? source, passphrase, only),
  slots: ({ header, source }) =>
    (chooseCopy(decodeLuks2(header ?? source)).metadata?.json.keyslots ?? [])
      .map(({ number }) => number).sort((a, b) => a - b),
  dear: isDear,
};

/** Whether the header is accepted; cryptsetup's output is compared only with recorded answers. */
function report({ findings, layer }: OpenedImage): Ours<VolumeReport> {
  const refusal = findings.refusal("info");
  if (refusal === undefined && layer !== undefined) return { outcome: "accepted", value: {} };
  const { rule, message } = refusal ??
    { rule: "luks2.work.values" as const, message: "The volume does not open" };
  return { outcome: "rejected", rule, message };
}

/** Members of the JSON that cost time or memory, and the largest value that is queried. */
const COSTLY = new Set(["iterations", "time", "memory", "cpus", "key_size"]);
const COST_MAX = 5000n;

/**
 * Whether cryptsetup must not be queried: it does not limit work, and parses some numbers differently
 * than the reference, so no number may be large in either copy.
 */
function isDear({ findings, header, source }: OpenedImage): boolean {
  if (findings.rules().some((rule) => rule.startsWith("luks2.work."))) return true;
  const { primary, secondary } = decodeLuks2(header ?? source);
  return [primary, secondary].some(({ json }) => json?.root !== undefined && hasCost(json.root));
}

function hasCost(node: JsonNode): boolean {
  if (node.kind === "array") return node.items.some(hasCost);
  if (node.kind !== "object") return false;
  return [...node.members].some(([name, value]) => {
    return COSTLY.has(name) && !isCheap(value) || hasCost(value);
  });
}

/** Numbers in strings count too: a lenient parser reads them as numbers. */
function isCheap(value: JsonNode): boolean {
  if (value.kind === "int") return value.value >= 0n && value.value <= COST_MAX;
  return value.kind === "string" ? /^\D*\d{0,3}$/.test(value.text) : value.kind !== "double";
}
