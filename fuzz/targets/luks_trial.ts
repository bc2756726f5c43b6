import { type ByteSource, readUpTo } from "../../src/bytes/mod.ts";
import { judgeImage, type OpenedImage } from "../../src/image/mod.ts";
import { readUint } from "../../src/layout/mod.ts";
import { encodeHeader } from "../../src/luks1/create/create.ts";
import {
  contentOf,
  decodeLuks1,
  HEADER_BYTES,
  type Luks1Model,
  LUKS_MAGIC,
} from "../../src/luks1/mod.ts";
import { type CaseReport, type Depth, Failure } from "../engine/target.ts";
import { firstDifference } from "./content.ts";
import { keyOptions, passphraseOf } from "./luks_volume.ts";
import { assertBounded } from "./open.ts";
import { type KeyChoice, openVolume, type VolumeFiles } from "./volume_files.ts";
import { assertAccess, assertContent } from "./volume_checks.ts";

/** What a volume is opened with, and what is known of it. */
export interface Knowledge {
  /** The model that the volume was built from; absent for bytes that never were a volume. */
  readonly model?: Luks1Model;
  readonly key: KeyChoice;
  /** Nothing was done to the volume. */
  readonly untouched: boolean;
}

const SECTOR = 512;
/** Rules for which the content is not read although the format allows it. */
const NOT_READ = /^luks\.work\.iterations-budget$/;
/** Milliseconds that trying a passphrase may take: slow hashes have eight slots to go through. */
const KEY_MS = 8000;

/**
 * Opens a volume, and holds what is said of it against its bytes and against what can be read of it.
 *
 * @throws {Failure} where the two differ
 */
export function tryVolume(files: VolumeFiles, knowledge: Knowledge): CaseReport {
  const { header } = files;
  const { model, key } = knowledge;
  const keys = keyOptions(model === undefined ? [] : [passphraseOf(model, key)]);
  const { judgement, image } = assertBounded(header, {
    extraMs: key === "none" ? 0 : KEY_MS,
    judge: (source) => {
      const image = openVolume({ ...files, header: source }, "luks", keys);
      return { image, judgement: judgeImage(image) };
    },
  });
  assertSameBytes(header);
  assertLayer(image, files);
  assertPlaces(image, files);
  assertAccess(image, { format: "luks", key, notRead: NOT_READ });
  if (model !== undefined && knowledge.untouched && key === "right") {
    assertContent(image, contentOf(model), { format: "luks" });
  }
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
  encodeHeader(encoded, decodeLuks1(header));
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
