import {
  type ByteSource,
  hex,
  isZero,
  PatchedSource,
  readUpTo,
  SECTOR,
  startsWith,
} from "../../bytes/mod.ts";
import { imageText, plainText, type Remains } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import { decodeLuks1, type Luks1Header } from "../decode.ts";
import { materialSectors, slotSectors, UNIT_SECTORS } from "../geometry.ts";
import { header as headerStruct, LUKS_MAGIC, slotStates, STRIPES } from "../structures.ts";

/** Lengths of a master key in bytes with which volumes are made. */
const KEY_BYTES = [16, 24, 32, 48, 64];
/** The longest key that any cipher has. */
const KEY_BYTES_MAX = 128;
/** Bits of entropy in a byte of random data of this length and more. */
const RANDOM = 7.98;

/** What a file shows of a volume whose header is damaged or lost. */
export function scanLuks1(source: ByteSource): readonly Remains[] {
  return [headerWithoutMagic(source) ?? keyMaterial(source)].filter((found) => found !== undefined);
}

/** A header of which only magic or version are wrong. */
export function hintOfLuks1(source: ByteSource): string | undefined {
  if (headerWithoutMagic(source)?.repair === undefined) return undefined;
  return "The file starts with a header of LUKS version 1 without its magic";
}

/** A header that is intact except for its magic and version. */
function headerWithoutMagic(source: ByteSource): Remains | undefined {
  const start = encode(headerStruct, { ...decodeLuks1(source), magic: LUKS_MAGIC, version: 1 })
    .subarray(0, headerStruct.offsets.cipher_name);
  const found = decodeLuks1(new PatchedSource(source, [{ offset: 0, bytes: start }]));
  if (!isPlausible(found)) return undefined;
  const stored = readUpTo(source, 0, start.length);
  const isIntact = startsWith(stored, start);
  const states: readonly number[] = Object.values(slotStates);
  const used = found.slots.filter(({ active }) => active === slotStates.enabled).length;
  const sign = startsWith(stored, LUKS_MAGIC.subarray(0, KEPT)) && !isIntact
    ? [
      "cryptsetup-reencrypt marks volumes like this until it ends: its log says how far it came, and " +
      "content before that place has another key",
    ]
    : [];
  return {
    format: "luks",
    confidence: "certain",
    evidence: [
      isIntact ? "The header is intact" : "The header is intact except for its magic and version",
      `All ${found.slots.length} key slots have one of ${states.length} known states, ${used} are enabled`,
      ...sign,
    ],
    fields: [
      { name: "cipher_name", value: imageText(found.cipher_name) },
      { name: "cipher_mode", value: imageText(found.cipher_mode) },
      { name: "hash_spec", value: imageText(found.hash_spec) },
      { name: "payload_offset", value: found.payload_offset, note: "sectors" },
      { name: "key_bytes", value: found.key_bytes },
      { name: "uuid", value: imageText(found.uuid) },
    ],
    unknown: [],
    ...(isIntact ? {} : { repair: [{ offset: 0, bytes: start }] }),
  };
}

/** Bytes of the magic that an interrupted reencryption leaves: "LUKS". */
const KEPT = 4;

function isPlausible({ slots, cipher_name, cipher_mode, key_bytes }: Luks1Header): boolean {
  const states: readonly number[] = Object.values(slotStates);
  const isName = (text: Uint8Array): boolean =>
    text.indexOf(0) > 0 && plainText(text.subarray(0, text.indexOf(0))) !== undefined;
  return slots.every(({ active, stripes }) => states.includes(active) && stripes === STRIPES) &&
    isName(cipher_name) && isName(cipher_mode) && key_bytes > 0 && key_bytes <= KEY_BYTES_MAX;
}

/** Random bytes where the first key slot has its key material, and as many, with zeros after them. */
function keyMaterial(source: ByteSource): Remains | undefined {
  const offset = UNIT_SECTORS * SECTOR;
  for (const keyBytes of KEY_BYTES) {
    const length = keyBytes * STRIPES;
    const end = offset + materialSectors(keyBytes) * SECTOR;
    const next = offset + slotSectors(keyBytes) * SECTOR;
    if (next > source.size || !isZero(source.read(end, next - end))) continue;
    if (entropyOf(source.read(offset, length)) < RANDOM) continue;
    return {
      format: "luks",
      confidence: "possible",
      evidence: [
        `There are ${length} random bytes at ${
          hex(offset)
        } and zeros after them: the key material of ` +
        `key slot 0 with a master key of ${keyBytes} bytes`,
      ],
      fields: [
        { name: "key_bytes", value: keyBytes },
        { name: "key_material_offset", value: UNIT_SECTORS, note: "sectors" },
      ],
      unknown: ["Salts, iterations and digest: only a backup of the header opens the volume"],
    };
  }
  return undefined;
}

/** Bits of entropy in each byte. */
function entropyOf(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  return counts.reduce((sum, count) => {
    const share = count / bytes.length;
    return count === 0 ? sum : sum - share * Math.log2(share);
  }, 0);
}
