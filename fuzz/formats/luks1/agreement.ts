import { SECTOR } from "../../../src/bytes/mod.ts";
import type { OpenedImage } from "../../../src/image/mod.ts";
import { decode } from "../../../src/layout/mod.ts";
import {
  decodeLuks1,
  encodeHeader,
  header as headerStruct,
  HEADER_BYTES,
  type Luks1Model,
  LUKS_MAGIC,
  slotSectors,
} from "../../../src/luks1/mod.ts";
import { refuses, ruleOf } from "../../../src/rules/mod.ts";
import { type CaseFile, type Depth, Failure } from "../../engine/mod.ts";
import { firstDifference } from "../../compare/mod.ts";
import { type OpenedCase, sourceOf } from "../kit.ts";
import { assertAccess, assertEncodes, headOf } from "../luks.ts";

const KEY_PRESENT = "luks.open.key-present";
/** Rules for which the content is not read although the format allows the image. */
const NOT_READ = /^luks\.work\.iterations-budget$/;

/**
 * Checks that the findings of a volume agree with its bytes and its readable content.
 *
 * @throws {Failure} if they do not
 */
export function agreesLuks1(image: OpenedImage, { files, key }: OpenedCase<Luks1Model>): void {
  const head = headOf(sourceOf(files), HEADER_BYTES);
  const encoded = new Uint8Array(HEADER_BYTES);
  encodeHeader(encoded, decodeLuks1(sourceOf(files)));
  assertEncodes("luks", head, encoded);
  assertLayer(image, files, head);
  assertPlaces(image, files);
  assertAccess(image, { format: "luks", key, notRead: NOT_READ });
  assertNeedsKey(image);
  assertEnds(image, files);
}

/** Where QEMU's numbers of sectors wrap to 0. */
const SECTORS_MAX = 2 ** 32;

/** Key material is behind the start of the payload only if its end is, in QEMU's 32 bits. */
function assertEnds({ findings }: OpenedImage, files: readonly CaseFile[]): void {
  const found = findings.list().filter(({ rule }) => rule === "luks.slot.before-payload");
  if (found.length === 0) return;
  const { slots, key_bytes, payload_offset } = decodeLuks1(sourceOf(files));
  for (const { path } of found) {
    const slot = slots[Number(path.split("/")[2])];
    if (slot === undefined) continue;
    const sectors = slotSectors(key_bytes, slot.stripes);
    const end = (slot.key_material_offset + sectors) % SECTORS_MAX;
    if (end > payload_offset) continue;
    throw new Failure(
      "luks.slot.end",
      `It ends at sector ${end} in 32 bits, and the payload starts at sector ${payload_offset}`,
      { about: { path } },
    );
  }
}

/** A passphrase is missing only where nothing else keeps the volume from being opened. */
function assertNeedsKey({ findings }: OpenedImage): void {
  if (findings.refusal("read")?.rule !== KEY_PRESENT) return;
  const other = findings.list().find(({ rule }) =>
    rule !== KEY_PRESENT && refuses(ruleOf(rule), "read")
  );
  if (other === undefined) return;
  throw new Failure(
    "luks.needs-key",
    `The passphrase is missing first, although ${other.rule} is broken, too`,
    { about: { path: other.path } },
  );
}

/** How far a reader gets into a volume: the key slots are its tables, and the keys its data. */
export function depthLuks1({ findings, layer }: OpenedImage): Depth {
  const refusal = findings.refusal("info");
  if (refusal !== undefined) return refusal.rule.startsWith("luks.slot.") ? "tables" : "header";
  return layer?.unlocked === true ? "accepted" : "data";
}

/**
 * A layer exists if the magic and the version are right. The payload of a detached header must also start
 * inside its file; a header in one file with its payload may be a header backup.
 */
function assertLayer(
  { layer }: OpenedImage,
  [header, detached]: readonly CaseFile[],
  head: Uint8Array,
): void {
  const { magic, version, payload_offset } = decode(headerStruct, head);
  const known = firstDifference(magic, LUKS_MAGIC) < 0 && version === 1;
  const start = SECTOR * payload_offset;
  const end = SECTOR * Math.ceil(((detached ?? header)?.source.size ?? 0) / SECTOR);
  const expected = known && (detached === undefined || start <= end);
  if ((layer !== undefined) !== expected) {
    throw new Failure(
      "luks.layer",
      expected ? "The volume does not open" : "The volume opens, but must not",
    );
  }
  const size = Math.max(0, end - start);
  if (layer === undefined || layer.virtualSize === size) return;
  const message = `${layer.virtualSize} bytes, but the payload has ${size}`;
  throw new Failure("luks.size", message);
}

/** Findings are about places in the header or in the file with the payload. */
function assertPlaces({ findings }: OpenedImage, files: readonly CaseFile[]): void {
  const end = Math.max(HEADER_BYTES, ...files.map(({ source }) => source.size));
  for (const { rule, offset } of findings.list()) {
    // For version 2, another format, the finding is at the place of its second header.
    if (offset === null || rule.startsWith("luks2.")) continue;
    if (Number(offset) >= 0 && Number(offset) <= end) continue;
    throw new Failure(`luks.place.${rule}`, `It is at ${offset}, but the files end at ${end}`);
  }
}
