/** Replaces incompressible bytes that are not read by zeros, to keep the repository small. */

import { type ByteSource, type Patch, PatchedSource, SECTOR, utf8 } from "../../src/bytes/mod.ts";
import { keyMaterial, pbkdf2, sectorCipher } from "../../src/crypto/mod.ts";
import type { Layer } from "../../src/format/mod.ts";
import { type FormatName, formatOf } from "../../src/formats.ts";
import { decodeLuks1, type KeySlot, specOf, unlock } from "../../src/luks1/mod.ts";
import { chooseCopy, decodeLuks2, luks2Info } from "../../src/luks2/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import type { CaseImage } from "../cases/mod.ts";

/** The file that starts with the header, and how it is opened. */
interface Volume {
  readonly header: ByteSource;
  readonly payload?: ByteSource;
  readonly passphrase?: Uint8Array;
}

/** The header file with zeros instead of noise, by format. */
const QUIET: Partial<Record<FormatName, (volume: Volume) => ByteSource>> = {
  luks: quietLuks1,
  luks2: quietLuks2,
};

/** An image that reads the same, with zeros instead of noise. */
export function withoutNoise(of: CaseImage): CaseImage {
  const { image, header, files, format, passphrases: [first] } = of;
  const quiet = format === undefined ? undefined : QUIET[format];
  if (quiet === undefined) return of;
  const detached = header === undefined ? undefined : files[header];
  const source = quiet({
    header: detached ?? image,
    ...detached === undefined ? {} : { payload: image },
    ...first === undefined ? {} : { passphrase: utf8(first) },
  });
  return header === undefined
    ? { ...of, image: source }
    : { ...of, files: { ...files, [header]: source } };
}

/** Opens a volume, and returns the rules that it breaks and its readable content. */
function opened(
  format: FormatName,
  { header, payload, passphrase }: Volume,
): { layer: Layer | undefined; rules: readonly string[] } {
  const findings = new Findings();
  const layer = formatOf(format).driver.open(header, findings, {
    passphrases: passphrase === undefined ? [] : [passphrase],
    ...payload === undefined ? {} : { payload },
  });
  return { layer, rules: findings.rules() };
}

const FIRST_MATERIAL = 4096;

/**
 * The key slot that opens gets sparse key material, and the others get zeros. If no slot opens, the
 * payload is not read either.
 */
function quietLuks1(volume: Volume): ByteSource {
  const { header: source, payload, passphrase } = volume;
  const isUnlocked = opened("luks", volume).layer?.unlocked === true;
  const { payload_offset } = decodeLuks1(source);
  const end = payload === undefined && isUnlocked ? payload_offset * SECTOR : source.size;
  const zeros = new Uint8Array(Math.max(0, end - FIRST_MATERIAL));
  const patches: Patch[] = [{ offset: FIRST_MATERIAL, bytes: zeros }];
  if (passphrase !== undefined && isUnlocked) patches.push(sparseMaterial(source, passphrase));
  return new PatchedSource(source, patches);
}

/** Sparse key material for the slot that a passphrase opens. Header and keys do not change. */
function sparseMaterial(source: ByteSource, passphrase: Uint8Array): Patch {
  const header = decodeLuks1(source);
  const unlocked = unlock(header, { keyMaterial: source, passphrase });
  if (!("masterKey" in unlocked)) throw new Error("The passphrase has opened the volume before");
  const slot = header.slots[unlocked.slot] as KeySlot;
  const spec = specOf(header);
  const key = pbkdf2(spec.hash, passphrase, slot.salt, slot.iterations, header.key_bytes);
  const bytes = keyMaterial(unlocked.masterKey, {
    stripes: slot.stripes,
    hash: spec.hash,
    cipher: sectorCipher({ ...spec, ivGenerator: spec.ivGenerator ?? "" }, key),
    random: () => new Uint8Array(0),
    kind: "sparse",
  });
  return { offset: slot.key_material_offset * SECTOR, bytes };
}

/** Bytes of the payload that do not change. */
const KEPT = 1024;
/** The payload offset for a volume whose header cannot be read. */
const DATA = 2 * 0x4000 + 2 * 258048 + 8192;

/**
 * The payload after its first sectors becomes zeros, which decrypt to other content. If that
 * changed the set of broken rules, the volume stays unchanged.
 */
function quietLuks2(volume: Volume): ByteSource {
  const { header: source, payload } = volume;
  const offset = payloadStart(source) + KEPT;
  if (payload !== undefined || !(offset < source.size)) return source;
  const bytes = new Uint8Array(source.size - offset);
  const patched = new PatchedSource(source, [{ offset, bytes }]);
  const [before, after] = [source, patched].map((header) =>
    opened("luks2", { ...volume, header }).rules
  );
  return String(before) === String(after) ? patched : source;
}

/** The start of the payload, and never before the end of the area for key slots. */
function payloadStart(source: ByteSource): number {
  const { metadata, ...copies } = chooseCopy(decodeLuks2(source));
  if (metadata === undefined) return DATA;
  const info = luks2Info({ ...copies, metadata });
  const number = (name: string) => Number(info[name]);
  return Math.max(
    number("payload-offset"),
    2 * number("header-size") + number("keyslots-size"),
  );
}
