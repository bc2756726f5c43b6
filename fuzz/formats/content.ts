import { roundDown, SECTOR } from "../../src/bytes/mod.ts";
import type { Layer } from "../../src/format/mod.ts";
import { extentsOf, layersOf, type OpenedImage, readContent } from "../../src/image/mod.ts";
import { answerAt, firstDifference, whereIn } from "../compare/mod.ts";
import { Failure } from "../engine/mod.ts";
import type { ExpectedDisk, KeyChoice } from "../generate/mod.ts";
import { diskOf, type Kit } from "./kit.ts";

const CHUNK = 2 ** 20;
const MIDDLE = 0.4;
/** Bytes that are read from the middle, at most. */
const MIDDLE_MAX = 2 ** 16;
/** The longest encryption sector of LUKS2. */
const LONGEST_SECTOR = 4096;

/**
 * Compares the content that a reader returns with the content that a guest should see.
 *
 * @throws {Failure} if the two differ
 */
export function assertDisk(
  layers: readonly Layer[],
  expected: ExpectedDisk,
  what = "the image",
): void {
  const size = layers[0]?.virtualSize ?? 0;
  if (size !== expected.size) {
    throw new Failure("content.size", `${what}: ${size} bytes, but the model has ${expected.size}`);
  }
  for (const { start, end } of expected.ranges) {
    let chunk: { at: number; bytes: Uint8Array } = { at: start, bytes: new Uint8Array() };
    for (let at = start; at < end; at += CHUNK) {
      chunk = { at, bytes: expected.read(at, Math.min(CHUNK, end - at)) };
      assertPart(layers, { ...chunk, what });
    }
    // A read from the middle must return the same. It touches a part of an encryption sector more.
    const middle = start + Math.floor((end - start) * MIDDLE);
    const first = roundDown(middle, SECTOR);
    const whole = roundDown(Math.min(end - first, MIDDLE_MAX), LONGEST_SECTOR);
    const length = (whole > 0 ? first + whole : end) - middle;
    const bytes = chunk.at <= middle
      ? chunk.bytes.subarray(middle - chunk.at, middle - chunk.at + length)
      : expected.read(middle, length);
    assertPart(layers, { at: middle, bytes, what });
  }
  assertNothingElse(layers, expected, what);
}

/**
 * Checks that an unedited image has the size of its model and, with the right passphrase, its content.
 *
 * @throws {Failure} if it has not
 */
export function assertSound<Model>(
  kit: Kit<Model>,
  image: OpenedImage,
  { model, key }: { model: Model; key: KeyChoice },
): void {
  if (image.incomplete) return;
  const disk = diskOf(kit, model);
  const { layer, findings } = image;
  const refusal = findings.refusal("info", "spec");
  if (layer === undefined || refusal !== undefined) {
    const why = refusal?.message ?? "The image does not open";
    throw new Failure(`sound.rejected.${refusal?.rule ?? "layer"}`, why);
  }
  const locked = layersOf(image).find((it) => it.encrypted && it.unlocked !== true);
  if (locked === undefined) return assertDisk(layersOf(image), disk);
  if (key === "right") throw new Failure("sound.locked", JSON.stringify(findings.list()));
  if (layer.virtualSize === disk.size) return;
  throw new Failure("content.size", `${layer.virtualSize} bytes, but the model has ${disk.size}`);
}

function assertPart(
  layers: readonly Layer[],
  { at, bytes, what }: { at: number; bytes: Uint8Array; what: string },
): void {
  const found = readContent(layers, at, bytes.length);
  const differs = firstDifference(found, bytes);
  if (differs < 0) return;
  const place = at + differs;
  throw new Failure(
    `content.bytes.${whereIn(layers, place)}`,
    `${what}: content differs from the model at ${place}`,
    {
      answers: [
        answerAt("reference", found, { start: at, place }),
        answerAt("model", bytes, { start: at, place }),
      ],
      about: { guestOffset: place },
    },
  );
}

/** Checks that no layer claims data where the model has none. */
function assertNothingElse(
  layers: readonly Layer[],
  { ranges, size, unknownFrom = size }: ExpectedDisk,
  what: string,
): void {
  let next = 0;
  for (const extent of extentsOf(layers, 0, unknownFrom)) {
    if (extent.zero) continue;
    const end = extent.start + extent.length;
    while (next < ranges.length && (ranges[next]?.end ?? 0) <= extent.start) next++;
    const range = ranges[next];
    if (range !== undefined && range.start <= extent.start && end <= range.end) continue;
    throw new Failure(
      `content.extra.${whereIn(layers, extent.start)}`,
      `${what}: data at ${extent.start}, where the model has none`,
      { about: { guestOffset: extent.start } },
    );
  }
}

/** @throws {Failure} if the two differ */
export function assertSameBytes(signature: string, found: Uint8Array, expected: Uint8Array): void {
  const differs = firstDifference(found, expected);
  if (differs < 0) return;
  throw new Failure(signature, `Content differs from the model at ${differs}`);
}
