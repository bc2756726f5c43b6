import { type ByteSource, readUpTo } from "../../src/bytes/mod.ts";
import { AccessError } from "../../src/format/mod.ts";
import {
  judgeImage,
  layersOf,
  openBytes,
  openDetachedBytes,
  type OpenedImage,
  readContent,
} from "../../src/image/mod.ts";
import { readUint } from "../../src/layout/mod.ts";
import { encodeHeader } from "../../src/luks/create.ts";
import {
  contentOf,
  decodeLuks,
  HEADER_BYTES,
  LUKS_MAGIC,
  type LuksModel,
} from "../../src/luks/mod.ts";
import { type CaseReport, type Depth, Failure } from "../engine/target.ts";
import { firstDifference } from "./content.ts";
import { type KeyChoice, keyOptions, passphraseOf, type VolumeFiles } from "./luks_volume.ts";
import { assertBounded } from "./open.ts";

/** What a volume is opened with, and what is known of it. */
export interface Knowledge {
  /** The model that the volume was built from; absent for bytes that never were a volume. */
  readonly model?: LuksModel;
  readonly key: KeyChoice;
  /** Nothing was done to the volume. */
  readonly untouched: boolean;
}

/** Bytes of content that are read. */
const READ_MAX = 4096;
const SECTOR = 512;
/** Milliseconds that trying a passphrase may take: slow hashes have eight slots to go through. */
const KEY_MS = 8000;

/**
 * Opens a volume, and holds what is said of it against its bytes and against what can be read of it.
 *
 * @throws {Failure} where the two differ
 */
export function tryVolume(files: VolumeFiles, knowledge: Knowledge): CaseReport {
  const { header, payload } = files;
  const { model, key } = knowledge;
  const keys = keyOptions(model === undefined ? [] : [passphraseOf(model, key)]);
  const { judgement, image } = assertBounded(header, {
    extraMs: key === "none" ? 0 : KEY_MS,
    judge: (source) => {
      const image = payload === undefined
        ? openBytes(source, "luks", keys)
        : openDetachedBytes(payload, source, keys);
      return { image, judgement: judgeImage(image) };
    },
  });
  assertSameBytes(header);
  assertLayer(image, files);
  assertPlaces(image, files);
  assertAccess(image, knowledge);
  if (model !== undefined && knowledge.untouched) assertSound(image, model, key);
  return { depth: luksDepth(image), rules: judgement.findings.map(({ rule }) => rule) };
}

/** How far a reader gets into a volume: the key slots are its tables, and the keys its data. */
export function luksDepth({ findings, layer }: OpenedImage): Depth {
  const refusal = findings.refusal("info");
  if (refusal !== undefined) return refusal.rule.startsWith("luks.slot.") ? "tables" : "header";
  return layer?.unlocked === true ? "accepted" : "data";
}

/** What is decoded is encoded as it was. */
function assertSameBytes(header: ByteSource): void {
  const stored = new Uint8Array(HEADER_BYTES);
  stored.set(readUpTo(header, 0, HEADER_BYTES));
  const encoded = new Uint8Array(HEADER_BYTES);
  encodeHeader(encoded, decodeLuks(header));
  const differs = firstDifference(encoded, stored);
  if (differs >= 0) throw new Failure("luks.encode", `Another byte of the header at ${differs}`);
}

/** There is something to tell of where the magic and the version are right and a payload begins. */
function assertLayer({ layer }: OpenedImage, { header, payload = header }: VolumeFiles): void {
  const head = new Uint8Array(HEADER_BYTES);
  head.set(readUpTo(header, 0, HEADER_BYTES));
  const known = firstDifference(head.subarray(0, LUKS_MAGIC.length), LUKS_MAGIC) < 0 &&
    readUint(head, 6, 2) === 1n;
  const start = SECTOR * Number(readUint(head, 104, 4));
  const end = SECTOR * Math.ceil(payload.size / SECTOR);
  const expected = known && start <= end;
  if ((layer !== undefined) !== expected) {
    throw new Failure("luks.layer", `There is ${expected ? "no" : "a"} layer`);
  }
  if (layer !== undefined && layer.virtualSize !== end - start) {
    throw new Failure(
      "luks.size",
      `${layer.virtualSize} bytes, and the payload has ${end - start}`,
    );
  }
}

/** Findings are about places in the header or in the file with the payload. */
function assertPlaces({ findings }: OpenedImage, { header, payload = header }: VolumeFiles): void {
  const end = Math.max(HEADER_BYTES, header.size, payload.size);
  for (const { rule, offset } of findings.list()) {
    // With version 2 it is another format, which says where its second header would lie.
    if (offset === null || rule.startsWith("luks2.")) continue;
    if (Number(offset) >= 0 && Number(offset) <= end) continue;
    throw new Failure("luks.place", `${rule} is found at ${offset}, and the files end at ${end}`);
  }
}

/** What is refused has no content, and what is not refused has. */
function assertAccess(image: OpenedImage, { key }: Knowledge): void {
  const { layer, findings } = image;
  const unlocked = layer?.unlocked === true;
  const refused = findings.refusal("read", "spec") ?? findings.refusal("info", "spec");
  if (unlocked && (key !== "right" || refused !== undefined)) {
    throw new Failure("luks.unlocked", `Unlocked with ${key} key, in spite of ${refused?.rule}`);
  }
  const works = findings.refusal("read") === undefined &&
    findings.count("luks.work.iterations-budget") === 0;
  if (works && !unlocked) throw new Failure("luks.locked", "Locked, and nothing refuses it");
  if (layer === undefined || layer.virtualSize === 0) return;
  const length = Math.min(READ_MAX, layer.virtualSize);
  try {
    readContent(layersOf(image), 0n, length);
  } catch (error) {
    if (error instanceof AccessError && !unlocked) return;
    throw error;
  }
  if (!unlocked) throw new Failure("luks.content", "There is content, and nothing unlocked it");
}

/** A volume as it was built opens with the right passphrase, and its content is the model's. */
function assertSound(image: OpenedImage, model: LuksModel, key: KeyChoice): void {
  if (key !== "right") return;
  const { size } = model;
  if (image.layer?.unlocked !== true) {
    throw new Failure("luks.locked", JSON.stringify(image.findings.list()));
  }
  const differs = firstDifference(readContent(layersOf(image), 0n, size), contentOf(model));
  if (differs >= 0) {
    throw new Failure("content.bytes", `Another byte than in the model at ${differs}`);
  }
}
