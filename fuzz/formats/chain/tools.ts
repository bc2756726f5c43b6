import type { Layer } from "../../../src/format/mod.ts";
import { type Judgement, layersOf, type OpenedImage } from "../../../src/image/mod.ts";
import {
  type Asked,
  compareAnswer,
  compareContent,
  type Compared,
  compareSparseMap,
  hasFarHole,
  type QemuQuestion,
  type Toolbox,
} from "../../compare/mod.ts";
import type { ToolKit } from "../kit.ts";
import { luks1Divergences } from "../luks1/divergences.ts";
import { qcow2Divergences } from "../qcow2/divergences.ts";

/** The map of an image whose files have holes: that takes several processes. */
const SPARSE_MAP = "map of sparse files";
/** Corruptions and leaks of one image: qemu-img prints a line for each, tens of thousands in seconds. */
const COMPLAINTS_MAX = 2 ** 13;
/** Snapshots that QEMU reads in negligible time, with one request each. */
const SNAPSHOTS_MAX = 2 ** 12;
/** Clusters of a qcow disk that QEMU looks up one by one within a few seconds. */
const QCOW_CLUSTERS_MAX = 2 ** 17;

/** Compares chains with qemu-img and qemu-io: content, allocation and one more question. */
export const chainTools: ToolKit = {
  says: "verdict, info, map, check and content agree with the installed qemu-img",
  needs: ["qemu-img", "qemu-io"],
  weight: 4,
  // A process of qemu-img takes several times as long as everything else that is done for a case.
  asks: { nothing: 72, check: 4, map: 1, info: 2, [SPARSE_MAP]: 1 },
  untouched: 6,
  timeoutMs: 8000,
  // Longer ones would only be slow.
  fileMax: 2 ** 21,
  divergences: [...qcow2Divergences, ...luks1Divergences],
  compare: compareChain,
};

async function compareChain(asked: Asked, ask: string, tools: Toolbox): Promise<Compared> {
  const skipped = whyNotAsked(asked, ask);
  if (skipped !== undefined) return { seen: [], skipped };
  const { judgement, subject: { passphrases: _, ...keyless } } = asked;
  if (judgement.findings.some(({ rule }) => rule === "luks.work.iterations-budget")) {
    // QEMU does not limit iterations, so it is not queried for what would take hours.
    return { seen: await compareAnswer({ ...asked, subject: keyless }, "info", tools) };
  }
  if (ask === SPARSE_MAP) {
    return { seen: isFar(asked.image) ? [] : await compareSparseMap(asked, tools) };
  }
  const content = await compareContent(asked, tools);
  // Its map says where the hole is, and its check counts in memory that is as long as the file.
  if (ask === "nothing" || isFar(asked.image) || isNoisy(judgement)) return { seen: content };
  return { seen: [...content, ...await compareAnswer(asked, ask as QemuQuestion, tools)] };
}

function isFar({ source, backing }: OpenedImage): boolean {
  return hasFarHole(source) || backing !== undefined && isFar(backing);
}

function whyNotAsked({ image, subject }: Asked, ask: string): string | undefined {
  if (image.incomplete) return "the edited image names a missing file";
  if ((image.layer?.snapshots?.length ?? 0) > SNAPSHOTS_MAX) {
    return "qemu is slow with tens of thousands of snapshots";
  }
  if (isEndless(layersOf(image))) return "qemu-img takes too long to map a qcow disk of this size";
  // `info` reports which image of a chain needs a passphrase, but check opens more than info does.
  const passphrases = subject.passphrases ?? [];
  const unknown = image.findings.refusal("info") !== undefined && passphrases.length > 1;
  if (ask !== "check" || !unknown) return undefined;
  return "qemu-img does not say which backing file needs the passphrase";
}

/** Whether QEMU would map for ever: in version 1 it skips no unallocated stretch. */
function isEndless(layers: readonly Layer[]): boolean {
  const size = layers[0]?.virtualSize ?? 0;
  return layers.some((layer) =>
    layer.format === "qcow" &&
    Math.min(size, layer.virtualSize) / layer.clusterSize > QCOW_CLUSTERS_MAX
  );
}

/** Whether qemu-img's check would be slow because it prints too many lines. */
function isNoisy({ qemu: { check } }: Judgement): boolean {
  return check !== null && check.corruptions + check.leaks > COMPLAINTS_MAX;
}
