import { createHash, getHashes } from "node:crypto";
import { type ByteSource, readUpTo } from "../../src/bytes/mod.ts";
import { imageText, Marks } from "../../src/format/mod.ts";
import { anatomyOf, judgeImage, type OpenedImage } from "../../src/image/mod.ts";
import { decode, encode } from "../../src/layout/mod.ts";
import {
  header as headerStruct,
  luks2Content,
  type Luks2Model,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../../src/luks2/mod.ts";
import { type CaseReport, type Depth, Failure } from "../engine/target.ts";
import { firstDifference } from "./content.ts";
import { luks2KeyOptions, luks2Passphrase } from "./luks2_volume.ts";
import { assertBounded } from "./open.ts";
import { type KeyChoice, openVolume, type VolumeFiles } from "./volume_files.ts";
import { assertAccess, assertContent } from "./volume_checks.ts";

/** What a volume is opened with, and what is known of it. */
export interface Luks2Knowledge {
  /** The model that the volume was built from; absent for bytes that never were a volume. */
  readonly model?: Luks2Model;
  readonly key: KeyChoice;
  /** A copy of the header is as it was built, and no other one counts: the volume opens. */
  readonly sound: boolean;
}

/** Milliseconds that trying a passphrase may take. */
const KEY_MS = 4000;
const ANATOMY = { rows: 20, tables: 20, entries: 100, marks: new Marks([]) };

/**
 * Opens a volume, and holds what is said of it against its bytes and against what can be read of it.
 *
 * @throws {Failure} where the two differ
 */
export function tryLuks2(files: VolumeFiles, knowledge: Luks2Knowledge): CaseReport {
  const { header } = files;
  const { model, key } = knowledge;
  const passphrase = model === undefined ? undefined : luks2Passphrase(model, key);
  const { judgement, image } = assertBounded(header, {
    extraMs: key === "none" ? 0 : KEY_MS,
    judge: (source) => {
      const image = openLuks2({ ...files, header: source }, passphrase);
      const judgement = judgeImage(image);
      anatomyOf(image, ANATOMY);
      return { image, judgement };
    },
  });
  // What is no volume any more is opened as one of version 1, where its payload is another file.
  if (image.format === "luks2") {
    assertSameBytes(header);
    assertLayer(image, files);
    assertPlaces(image, header);
    assertAccess(image, { format: "luks2", key, notRead: NOT_READ });
  }
  if (model !== undefined && knowledge.sound) assertSound(image, model, key);
  return { depth: luks2Depth(image), rules: judgement.findings.map(({ rule }) => rule) };
}

/** Opens the files of a volume. */
export function openLuks2(files: VolumeFiles, passphrase: string | undefined): OpenedImage {
  return openVolume(files, "luks2", luks2KeyOptions(passphrase));
}

/** How far a reader gets: the JSON is what tables are to an image of another format. */
export function luks2Depth({ findings, layer }: OpenedImage): Depth {
  if (layer?.unlocked === true) return "accepted";
  if (layer !== undefined) return "data";
  const beyondHeader = findings.rules().some((rule) => !/^luks2?\.(header|open)\./.test(rule));
  return beyondHeader ? "tables" : "header";
}

/** What is decoded is encoded as it was. */
function assertSameBytes(header: ByteSource): void {
  const stored = new Uint8Array(headerStruct.size);
  stored.set(readUpTo(header, 0, stored.length));
  const differs = firstDifference(encode(headerStruct, decode(headerStruct, stored)), stored);
  if (differs >= 0) throw new Failure("luks2.encode", `Another byte of the header at ${differs}`);
}

/** There is something to tell of where the copy that it is told from is what it has to be. */
function assertLayer(
  { layer, findings }: OpenedImage,
  { header, payload = header }: VolumeFiles,
): void {
  const refused = findings.refusal("info", "spec");
  if (layer === undefined) {
    if (findings.refusal("info") !== undefined || findings.count("luks2.work.values") > 0) return;
    throw new Failure("luks2.layer", "There is no layer, and nothing refuses it");
  }
  if (refused !== undefined) {
    throw new Failure("luks2.layer", `There is a layer in spite of ${refused.rule}`);
  }
  if (layer.virtualSize > payload.size) {
    throw new Failure("luks2.size", `${layer.virtualSize} bytes out of ${payload.size}`);
  }
  const data = layer.info()["format-specific"]?.data ?? {};
  JSON.stringify(data);
  const { used } = data["copies"] as { readonly used: string };
  assertCopy(header, { primary: used === "primary", size: Number(data["header-size"]) });
}

/** Holds a copy that a reader goes by against what makes one, which is told here once more. */
function assertCopy(
  source: ByteSource,
  { primary, size }: { primary: boolean; size: number },
): void {
  const place = primary ? 0 : size;
  const copy = source.read(place, size).slice();
  const { magic, version, hdr_size, hdr_offset, csum_alg, csum } = decode(headerStruct, copy);
  const expected = primary ? PRIMARY_MAGIC : SECONDARY_MAGIC;
  const there = firstDifference(magic, expected) < 0 && version === 2 &&
    hdr_size === BigInt(size) && hdr_offset === BigInt(place) && place + size <= source.size;
  if (!there) throw new Failure("luks2.copy", `There is no copy at byte ${place}`);
  const hash = imageText(csum_alg);
  if (!getHashes().includes(hash)) return;
  const at = headerStruct.offsets.csum;
  const stored = csum.slice();
  copy.fill(0, at, at + stored.length);
  const computed = new Uint8Array(createHash(hash).update(copy).digest());
  if (firstDifference(computed, stored.subarray(0, computed.length)) < 0) return;
  throw new Failure("luks2.copy", `The checksum of the copy at byte ${place} is another one`);
}

/** Findings are about places in the file with the header, or about a copy that is said to lie past it. */
function assertPlaces({ findings }: OpenedImage, header: ByteSource): void {
  const list = findings.list();
  for (const { rule, offset, path, message } of list) {
    if (offset === null || Number(offset) >= 0 && Number(offset) <= header.size) continue;
    const [, copy] = path.split("/");
    const beyond = /past the end of the file/.test(message) ||
      list.some((other) => other.rule === "luks2.header.readable" && other.path === `/${copy}`);
    if (beyond) continue;
    throw new Failure("luks2.place", `${rule} is found at ${offset}, the file has ${header.size}`);
  }
}

/** Rules for which the content is not read although the format allows it. */
const NOT_READ = /^luks2\.(work|content)\./;

/**
 * A volume of which one copy counts that is as it was built opens with the right passphrase, and its
 * content is the model's.
 */
export function assertSound(image: OpenedImage, model: Luks2Model, key: KeyChoice): void {
  const { layer, findings } = image;
  if (layer === undefined || layer.virtualSize !== model.size) {
    const found = JSON.stringify(findings.list());
    throw new Failure("luks2.sound", `${layer?.virtualSize} bytes, not ${model.size}: ${found}`);
  }
  if (key === "right") assertContent(image, luks2Content(model), { format: "luks2" });
}
