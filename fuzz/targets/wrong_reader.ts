import { type ByteSource, SECTOR, SegmentSource, utf8, WindowSource } from "../../src/bytes/mod.ts";
import {
  afMerge,
  legacyAes,
  legacyAesKey,
  pbkdf2,
  type SectorCipher,
  sectorCipher,
} from "../../src/crypto/mod.ts";
import type { BuiltImage, Layer } from "../../src/format/mod.ts";
import { layersOf, readContent } from "../../src/image/mod.ts";
import {
  contentOf,
  decodeLuks1,
  isMasterKey,
  type KeySlot,
  type Luks1Header,
  type Luks1Model,
  payloadStart,
  slotStates,
  specOf,
} from "../../src/luks1/mod.ts";
import { buildQcow2 } from "../../src/qcow2/build/mod.ts";
import { firstDifference } from "../compare/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import { Failure } from "../engine/mod.ts";
import { diskOf, filesOf, openWith, passphrasesOf } from "../formats/mod.ts";
import { luks1 } from "../formats/luks1/mod.ts";
import { qcow2 } from "../formats/qcow2/mod.ts";

/** Planted mistakes of readers of LUKS volumes. */
export const volumeMistakes = [
  "payload sectors counted from the start of the file",
  "payload sectors counted in one byte",
  "key material sectors counted from the start of the file",
  "key material merged with another hash",
  "the first key slot alone tried",
  "a detached payload sought behind a header",
] as const;

/** Planted mistakes of readers of images with LUKS inside. */
export const insideMistakes = [
  "sectors counted by guest offset",
  "compressed clusters decrypted",
] as const;

/** Planted mistakes of readers of the legacy encryption. */
export const legacyMistakes = [
  "sectors counted by host offset",
  "a key of 256 bits",
] as const;

/** A mistake, or none. */
export type Mistake =
  | "none"
  | typeof volumeMistakes[number]
  | typeof insideMistakes[number]
  | typeof legacyMistakes[number];

const PIECE = 2 ** 20;
const WIDE_KEY = 32;

/**
 * Reads a volume with a planted mistake, and compares the content with the model.
 *
 * @throws {Failure} if the mistake shows
 */
export function readVolumeWrongly(model: Luks1Model, mistake: Mistake): void {
  const [file, payload] = filesOf(luks1, model).map(({ source }) => source);
  if (file === undefined) throw new TypeError("Cannot read a volume without files");
  const header = decodeLuks1(file);
  const passphrase = utf8(model.keys.at(-1)?.passphrase ?? "");
  const key = keyOf(header, { keyMaterial: file, passphrase, mistake });
  if (key === undefined) throw new Failure(signatureOf(mistake), "No key slot opens");
  const found = new Uint8Array(model.size);
  const behind = mistake === "a detached payload sought behind a header" && payload !== undefined;
  const start = behind ? payloadStart(header.key_bytes) : header.payload_offset;
  (payload ?? file).readInto(SECTOR * start, found);
  const first = mistake === "payload sectors counted from the start of the file"
    ? BigInt(header.payload_offset)
    : 0n;
  const counted = mistake === "payload sectors counted in one byte" ? 256 * SECTOR : found.length;
  for (let at = 0; at < found.length; at += counted) {
    cipherOf(header, key).decrypt(found.subarray(at, at + counted), first);
  }
  assertSame(found, contentOf(model), mistake);
}

/** The master key, by the steps of LUKS1 On-Disk Format 1.2.3, 4.3. */
function keyOf(
  header: Luks1Header,
  with_: { keyMaterial: ByteSource; passphrase: Uint8Array; mistake: Mistake },
): Uint8Array | undefined {
  const enabled = header.slots.filter(({ active }) => active === slotStates.enabled);
  const tried = with_.mistake === "the first key slot alone tried" ? enabled.slice(0, 1) : enabled;
  return tried.map((slot) => slotKey(header, slot, with_)).find((key) => isMasterKey(header, key));
}

function slotKey(
  header: Luks1Header,
  { salt, iterations, stripes, key_material_offset: start }: KeySlot,
  { keyMaterial, passphrase, mistake }: {
    keyMaterial: ByteSource;
    passphrase: Uint8Array;
    mistake: Mistake;
  },
): Uint8Array {
  const spec = specOf(header);
  const key = pbkdf2(spec.hash, passphrase, salt, iterations, header.key_bytes);
  const length = SECTOR * Math.ceil(header.key_bytes * stripes / SECTOR);
  const material = new Uint8Array(length);
  keyMaterial.readInto(start * SECTOR, material);
  const absolute = mistake === "key material sectors counted from the start of the file";
  cipherOf(header, key).decrypt(material, absolute ? BigInt(start) : 0n);
  const other = spec.hash === "sha1" ? "sha256" : "sha1";
  const by = mistake === "key material merged with another hash" ? other : spec.hash;
  return afMerge(material, header.key_bytes, stripes, by);
}

function cipherOf(header: Luks1Header, key: Uint8Array): SectorCipher {
  const { cipher, mode, ivGenerator = "", ivHash } = specOf(header);
  return sectorCipher({ cipher, mode, ivGenerator, ivHash }, key);
}

/**
 * Reads what an encrypted image without a data file has of its own, as a reader does that makes a
 * mistake, and compares it with the model.
 *
 * @throws {Failure} if the mistake shows
 */
export function readImageWrongly(model: Qcow2Model, mistake: Mistake): void {
  const { image } = buildQcow2(model);
  const source = new SegmentSource(image.segments, image.size);
  const passphrases = passphrasesOf(qcow2, model, "right");
  const layers = layersOf(openWith(qcow2, filesOf(qcow2, model), passphrases));
  const cipher = imageCipher(model, { image, source, mistake });
  const [layer] = layers as [Layer];
  const expected = diskOf(qcow2, model);
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.kind !== "data" && run.kind !== "compressed") continue;
    for (let skip = 0; skip < run.length; skip += PIECE) {
      const start = run.start + skip;
      const length = Math.min(PIECE, run.length - skip);
      const host = (run.host ?? 0) + skip;
      const stored = run.kind === "data"
        ? source.read(host, length).slice()
        : readContent(layers, start, length).slice();
      if (run.kind === "data" || mistake === "compressed clusters decrypted") {
        const at = byHost(model, mistake) ? host : start;
        cipher.decrypt(stored, BigInt(Math.floor(at / SECTOR)));
      }
      assertSame(stored, expected.read(start, length), mistake);
    }
  }
}

/** Whether sectors are counted in the file, as for LUKS, or in the disk, as for the legacy encryption. */
function byHost({ encryption }: Qcow2Model, mistake: Mistake): boolean {
  return encryption?.kind === "luks"
    ? mistake !== "sectors counted by guest offset"
    : mistake === "sectors counted by host offset";
}

function imageCipher(
  { encryption }: Qcow2Model,
  { image, source, mistake }: { image: BuiltImage; source: ByteSource; mistake: Mistake },
): SectorCipher {
  if (encryption === undefined) throw new TypeError("Cannot read an image that is not encrypted");
  if (encryption.kind === "aes") {
    const passphrase = utf8(encryption.passphrase);
    if (mistake !== "a key of 256 bits") return legacyAes(passphrase);
    const key = new Uint8Array(WIDE_KEY);
    key.set(legacyAesKey(passphrase));
    return sectorCipher({ cipher: "aes", mode: "cbc", ivGenerator: "plain64" }, key);
  }
  const place = image.placed.find(({ path }) => path === "/luks/header");
  const region = new WindowSource(source, place?.offset ?? 0);
  const header = decodeLuks1(region);
  const passphrase = utf8(encryption.keys.at(-1)?.passphrase ?? "");
  const key = keyOf(header, { keyMaterial: region, passphrase, mistake });
  if (key === undefined) throw new Failure(signatureOf(mistake), "No key slot opens");
  return cipherOf(header, key);
}

function assertSame(found: Uint8Array, expected: Uint8Array, mistake: Mistake): void {
  const differs = firstDifference(found, expected);
  if (differs < 0) return;
  throw new Failure(signatureOf(mistake), `Content differs from the model at ${differs}`);
}

/** The name of a mistake: its words without spaces. */
export function signatureOf(mistake: Mistake): string {
  return `canary.${mistake.replaceAll(" ", "-")}`;
}
