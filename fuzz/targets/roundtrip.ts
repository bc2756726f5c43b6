import type { Layer } from "../../src/format/mod.ts";
import { judgeImage, layersOf, type OpenedImage, openFiles } from "../../src/image/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { type CaseFile, type CaseReport, Failure, type Target } from "../engine/target.ts";
import { buildChain, type ChainModel, chainModels, sourcesOf } from "../formats/chain/models.ts";
import { expectedDisk } from "../formats/chain/disk.ts";
import { assertContent } from "./content.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { chainKeys, chainPassphrases } from "./keys.ts";
import { cipherText } from "./luks_volume.ts";

/** A case of `roundtrip`: a sound image with its backing chain. */
export interface RoundtripCase {
  readonly chain: ChainModel;
}

/** The property: what is built of a model reads back as the model says, and nothing is wrong with it. */
export const roundtrip: Target<RoundtripCase> = {
  name: "roundtrip",
  says: "a generated image reads back as its model says, judges valid and checks clean",
  weight: 2,
  cases: () => chainModels({ encryption: "some" }).map((chain) => ({ chain })),
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as RoundtripCase,
  files: ({ chain }) => caseFiles(chain),
  describe: ({ chain }) => chain.map(describeImage).join("\n"),
  excerpt: ({ chain }) => excerptOfTop(chain, caseFiles(chain)),
  passphrases: ({ chain }) => chainPassphrases(chain),
  run: ({ chain }) => runRoundtrip(chain),
};

/** The top image of a chain, annotated. */
export function excerptOfTop(chain: ChainModel, files: readonly CaseFile[]): string {
  const [top] = files;
  const format = chain[0]?.format;
  return top === undefined || format === undefined ? "" : excerptOfImage(top.source, format);
}

/** The files of a chain, for artifacts. */
function caseFiles(chain: ChainModel): CaseFile[] {
  return [...sourcesOf(buildChain(chain))].map(([name, source]) => ({ name, source }));
}

/** An image in a line. */
export function describeImage(image: ChainModel[number]): string {
  if (image.format === "raw") return `raw, ${image.size} bytes of ${image.pattern.kind}`;
  const clusters = `${image.clusters.length} guest clusters of ${2 ** image.clusterBits} bytes`;
  const encrypted = encryptionText(image);
  if (image.format === "qcow") {
    return [`qcow, size ${image.size}, ${clusters}`, ...encrypted].join(", ");
  }
  const features = [
    ...(image.extendedL2 ? ["extended L2"] : []),
    ...(image.dataFile === undefined ? [] : ["data file"]),
    ...(image.snapshots.length === 0 ? [] : [`${image.snapshots.length} snapshots`]),
    ...(image.bitmaps.length === 0 ? [] : [`${image.bitmaps.length} bitmaps`]),
    ...encrypted,
  ];
  const head = `qcow2 version ${image.version}, size ${image.size}, ${clusters}`;
  return [head, `${2 ** image.refcountOrder}-bit refcounts`, image.compression, ...features].join(
    ", ",
  );
}

function encryptionText({ encryption }: Exclude<ChainModel[number], { format: "raw" }>): string[] {
  if (encryption === undefined) return [];
  if (encryption.kind === "aes") return ["legacy AES"];
  return [`LUKS in ${cipherText(encryption)}`];
}

function runRoundtrip(chain: ChainModel): CaseReport {
  const image = openFiles(sourcesOf(buildChain(chain)), undefined, chainKeys(chain));
  const judgement = judgeImage(image);
  const broken = judgement.findings.find((finding) => {
    const { class: ruleClass, level } = ruleOf(finding.rule);
    return ruleClass === "spec" && level === "must";
  });
  if (broken !== undefined) {
    throw new Failure(`roundtrip.${broken.rule}`, `${broken.path}: ${broken.message}`);
  }
  if (judgement.qemu.open !== "accept" || judgement.qemu.read !== "ok") {
    throw new Failure("roundtrip.refused", JSON.stringify(judgement.findings));
  }
  assertLeaks(chain, judgement.qemu.check);
  assertContent(layersOf(image), expectedDisk(chain), "the image");
  assertSnapshots(chain, image);
  return { depth: "accepted", rules: judgement.findings.map((finding) => finding.rule) };
}

/** Nothing is leaked but what the model leaks. */
function assertLeaks(
  [top]: ChainModel,
  check: { leaks: number; "check-errors": number } | null,
): void {
  if (top?.format !== "qcow2") return;
  if (check === null || check["check-errors"] > 0) {
    throw new Failure("roundtrip.check", "The check does not come to its end");
  }
  const { leaks } = top.placement;
  if (check.leaks !== leaks) {
    throw new Failure(
      "roundtrip.leaks",
      `${check.leaks} leaked clusters, and ${leaks} in the model`,
    );
  }
}

function assertSnapshots(chain: ChainModel, image: OpenedImage): void {
  const [top] = chain;
  if (top?.format !== "qcow2") return;
  const [, ...below] = layersOf(image);
  for (const [index, snapshot] of top.snapshots.entries()) {
    const layer = snapshotLayer(image.layer, top, index);
    if (layer === undefined) {
      throw new Failure("roundtrip.snapshot", `There is no snapshot ${snapshot.id}`);
    }
    assertContent([layer, ...below], expectedDisk(chain, index), `snapshot ${index}`);
  }
}

/** A snapshot is found by its id, which the model makes unique. */
function snapshotLayer(
  layer: Layer | undefined,
  model: Qcow2Model,
  index: number,
): Layer | undefined {
  return layer?.snapshot?.(model.snapshots[index]?.id ?? "");
}
