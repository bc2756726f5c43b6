import * as fc from "fast-check";
import { type ByteSource, readUpTo, SegmentSource, utf8 } from "../../src/bytes/mod.ts";
import { AccessError, type BuiltImage, type Format } from "../../src/format/mod.ts";
import {
  layersOf,
  openBytes,
  openDetachedBytes,
  type OpenedImage,
  readContent,
  type ReadOptions,
} from "../../src/image/mod.ts";
import { type CaseFile, Failure } from "../engine/mod.ts";
import type { KeyChoice } from "../generate/mod.ts";
import { firstDifference, unusedSlot } from "../compare/mod.ts";
import type { Editable } from "../mutate/mod.ts";
import { keptKeys } from "./kept_keys.ts";
import type { Expected, LaidOut } from "./kit.ts";

/** What the kits of both versions of LUKS share. */

/** One volume in this many is large: the numbers of its last sectors need more than a byte. */
export const LARGE_SHARE = 6;
const SMALL_MAX = 2 ** 13;
const LARGE_MAX = 2 ** 18;
/** Bytes of content that are read from an edited volume. */
const READ_MAX = 4096;

/**
 * Models of volumes, few of them large.
 *
 * @param models those with payloads of at most so many bytes
 */
export function mostlySmall<Model>(
  models: (sizeMax: number) => fc.Arbitrary<Model>,
): fc.Arbitrary<Model> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: LARGE_SHARE - 1, arbitrary: models(SMALL_MAX) },
    { weight: 1, arbitrary: models(LARGE_MAX) },
  );
}

/** The files of a built volume: the one with the header, and the payload of a detached one. */
export function volumeOf(image: Editable, payload: BuiltImage | undefined): LaidOut {
  const file = { image, name: "volume.luks" };
  if (payload === undefined) return file;
  const source = new SegmentSource(payload.segments, payload.size);
  return { ...file, others: [{ name: "payload.raw", source }] };
}

/** The map of a disk of so many bytes that are all data. */
export function allData(length: number): ReturnType<NonNullable<Expected<never>["map"]>> {
  if (length === 0) return [];
  return [{ start: 0, length, depth: 0, zero: false, data: true }];
}

/** Opens a volume; the version of one with a detached header is probed. */
export function openVolume(
  format: "luks" | "luks2",
): (files: readonly CaseFile[], options: ReadOptions) => OpenedImage {
  return ([header, payload], options) => {
    if (header === undefined) throw new TypeError("Cannot open a volume without files");
    return payload === undefined
      ? openBytes(header.source, format, options)
      : openDetachedBytes(payload.source, header.source, options);
  };
}

/** Time limit for a passphrase attempt in milliseconds: slow hashes may have eight slots. */
export const KEY_MS = 8000;

/** The name of the format in signatures and rules. */
export interface AccessOptions {
  readonly format: "luks" | "luks2";
  readonly key: KeyChoice;
  /** Rules for which the content is not read although the format allows the image. */
  readonly notRead: RegExp;
}

/**
 * Checks that exactly the volumes that are not rejected have content.
 *
 * @throws {Failure} if that is not so
 */
export function assertAccess(image: OpenedImage, { format, key, notRead }: AccessOptions): void {
  const { layer, findings } = image;
  const unlocked = layer?.unlocked === true;
  const refusal = findings.refusal("read", "spec") ?? findings.refusal("info", "spec");
  if (unlocked && (key !== "right" || refusal !== undefined)) {
    const why = refusal === undefined ? "" : `, although ${refusal.rule} is broken`;
    throw new Failure(`${format}.unlocked`, `Unlocked with ${key} key${why}`);
  }
  const works = findings.refusal("read") === undefined &&
    findings.rules().every((rule) => !notRead.test(rule));
  if (works && !unlocked) {
    throw new Failure(`${format}.locked`, "Does not unlock, but no finding says why");
  }
  if (layer === undefined || layer.virtualSize === 0) return;
  try {
    readContent(layersOf(image), 0, Math.min(READ_MAX, layer.virtualSize));
  } catch (error) {
    if (error instanceof AccessError && !unlocked) return;
    throw error;
  }
  if (!unlocked) {
    throw new Failure(`${format}.content`, "Content is readable without being unlocked");
  }
}

/** The first bytes of a file, padded with zeros. */
export function headOf(source: ByteSource, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(readUpTo(source, 0, length));
  return bytes;
}

/**
 * Checks that a decoded header encodes to the same bytes.
 *
 * @throws {Failure} if it does not
 */
export function assertEncodes(
  format: "luks" | "luks2",
  stored: Uint8Array,
  encoded: Uint8Array,
): void {
  const differs = firstDifference(encoded, stored);
  if (differs < 0) return;
  throw new Failure(`${format}.encode`, `The header differs at ${differs}`, {
    about: { offset: differs },
  });
}

/** A key of a volume: the passphrase that opens a slot. */
type SlotKey = { readonly slot: number; readonly passphrase: string };

/**
 * Checks that a named slot opens with its own passphrase alone, and that one without a key is not in
 * use. One passphrase is tried on a slot of another one, which unlocking the volume has tried, too.
 *
 * @throws {Failure} if a slot opens that must not, or a slot that must open does not
 */
export function assertNamedSlots(
  { name, keys }: Format,
  header: ByteSource,
  slots: readonly SlotKey[],
): void {
  const answer = (slot: number, passphrase: string): string => {
    const found = keys?.unlock?.(header, utf8(passphrase), { slot, keptKeys });
    if (found === undefined) return "no answer";
    if ("slot" in found) return `key slot ${found.slot} opens`;
    return found.isWrong ? "the passphrase is wrong" : found.message;
  };
  const assertAnswer = (slot: number, passphrase: string, expected: string): void => {
    const said = answer(slot, passphrase);
    if (said === expected) return;
    const message = `Key slot ${slot} is named: ${said}, but expected: ${expected}`;
    throw new Failure(`${name}.slot.named`, message);
  };
  for (const { slot, passphrase } of slots) {
    assertAnswer(slot, passphrase, `key slot ${slot} opens`);
  }
  const { passphrase } = slots.at(-1) ?? { passphrase: "" };
  const other = slots.find((key) => key.passphrase !== passphrase);
  if (other !== undefined) assertAnswer(other.slot, passphrase, "the passphrase is wrong");
  const unused = unusedSlot(slots.map(({ slot }) => slot));
  assertAnswer(unused, passphrase, `Key slot ${unused} is not in use`);
}
