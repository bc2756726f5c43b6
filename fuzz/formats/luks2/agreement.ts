import { createHash, getHashes } from "node:crypto";
import type { ByteSource } from "../../../src/bytes/mod.ts";
import { imageText } from "../../../src/format/mod.ts";
import type { OpenedImage } from "../../../src/image/mod.ts";
import { decode, encode } from "../../../src/layout/mod.ts";
import {
  header as headerStruct,
  type Luks2Model,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../../../src/luks2/mod.ts";
import { type CaseFile, type Depth, Failure } from "../../engine/mod.ts";
import { firstDifference } from "../../compare/mod.ts";
import { type OpenedCase, sourceOf } from "../kit.ts";
import { assertAccess, assertEncodes, headOf } from "../luks.ts";

/** Rules for which the content is not read although the format allows the image. */
const NOT_READ = /^luks2\.(work|content)\./;

/**
 * Checks that the findings of a volume agree with its bytes and its readable content.
 *
 * @throws {Failure} where the two differ
 */
export function agreesLuks2(image: OpenedImage, { files, key }: OpenedCase<Luks2Model>): void {
  // A file that is no longer a volume is opened as version 1 if its payload is another file.
  if (image.format !== "luks2") return;
  const header = sourceOf(files);
  const stored = headOf(header, headerStruct.size);
  assertEncodes("luks2", stored, encode(headerStruct, decode(headerStruct, stored)));
  assertLayer(image, files);
  assertPlaces(image, header);
  assertAccess(image, { format: "luks2", key, notRead: NOT_READ });
}

/** How far a reader gets: the JSON counts as the tables of other formats. */
export function depthLuks2({ findings, layer }: OpenedImage): Depth {
  if (layer?.unlocked === true) return "accepted";
  if (layer !== undefined) return "data";
  const beyondHeader = findings.rules().some((rule) => !/^luks2?\.(header|open)\./.test(rule));
  return beyondHeader ? "tables" : "header";
}

/** A layer exists if the copy of the header that it comes from is valid. */
function assertLayer(
  { layer, findings }: OpenedImage,
  files: readonly CaseFile[],
): void {
  const header = sourceOf(files);
  const refused = findings.refusal("info", "spec");
  if (layer === undefined) {
    if (findings.refusal("info") !== undefined || findings.count("luks2.work.values") > 0) return;
    throw new Failure("luks2.layer", "The volume does not open, but no finding says why");
  }
  if (refused !== undefined) {
    throw new Failure("luks2.layer", `The volume opens, although ${refused.rule} is broken`);
  }
  const payload = (files[1] ?? files[0])?.source.size ?? 0;
  if (layer.virtualSize > payload) {
    throw new Failure("luks2.size", `${layer.virtualSize} bytes, but the payload has ${payload}`);
  }
  const data = layer.info()["format-specific"]?.data ?? {};
  JSON.stringify(data);
  const { used } = data["copies"] as { readonly used: string };
  assertCopy(header, { primary: used === "primary", size: Number(data["header-size"]) });
}

/** Checks the copy that a reader chose against an independent definition of a valid copy. */
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
  if (!there) throw new Failure("luks2.copy", `No copy at byte ${place}`);
  const hash = imageText(csum_alg);
  if (!getHashes().includes(hash)) return;
  const at = headerStruct.offsets.csum;
  const stored = csum.slice();
  copy.fill(0, at, at + stored.length);
  const computed = new Uint8Array(createHash(hash).update(copy).digest());
  if (firstDifference(computed, stored.subarray(0, computed.length)) < 0) return;
  throw new Failure("luks2.copy", `Wrong checksum of the copy at byte ${place}`);
}

/** Findings are about places in the file with the header, or about a copy that is said to be past it. */
function assertPlaces({ findings }: OpenedImage, header: ByteSource): void {
  const list = findings.list();
  for (const { rule, offset, path, message } of list) {
    if (offset === null || Number(offset) >= 0 && Number(offset) <= header.size) continue;
    const [, copy] = path.split("/");
    const beyond = /past the end of the file/.test(message) ||
      list.some((other) => other.rule === "luks2.header.readable" && other.path === `/${copy}`);
    if (beyond) continue;
    throw new Failure(
      `luks2.place.${rule}`,
      `It is at ${offset}, but the file ends at ${header.size}`,
    );
  }
}
