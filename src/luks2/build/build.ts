import { SECTOR, type Segment, utf8 } from "../../bytes/mod.ts";
import { keyMaterial, pbkdf2 } from "../../crypto/mod.ts";
import {
  type BuiltFiles,
  patternBytes,
  type Placed,
  seededBytes,
  volumeFiles,
} from "../../format/mod.ts";
import { encodeCopy, type Luks2Secrets, metadataOf, placesOf } from "./header.ts";
import { cipherOf } from "../encryption.ts";
import type { CopyName } from "../decode.ts";
import { BINARY_BYTES, SALT_BYTES, STRIPES } from "../geometry.ts";
import { deriveKey } from "../keyslots/kdf.ts";
import type { CopyState, Luks2KeyModel, Luks2Model } from "../model.ts";
import { header } from "../structures.ts";

const HEADER_SALT_BYTES = 64;
const DIGEST_BYTES = 20;

/** Generates the given number of bytes. */
type RandomBytes = (length: number) => Uint8Array;

/**
 * Builds a volume. Deterministic; the same bytes on every machine.
 *
 * @param model as `normaliseLuks2` returns it
 */
export function buildLuks2(model: Luks2Model): BuiltFiles {
  const random = seededBytes(model.seed);
  const volumeKey = random(model.keyBytes);
  const secrets = secretsOf(model, volumeKey, random);
  const places = placesOf(model);
  const copies = copySegments(model, secrets, random);
  const materials = model.keys.map((key, index): Segment => ({
    offset: places.areas[index]?.offset ?? 0,
    bytes: material(model, { key, volumeKey, salt: secrets.salts[index] as Uint8Array, random }),
  }));
  const payload = { offset: places.payload, bytes: encrypted(model, volumeKey) };
  const header = {
    segments: [...copies, ...materials],
    size: 2 * model.headerSize + places.keyslotsSize,
    placed: placedHeader(model),
  };
  return volumeFiles(header, { payload, detached: model.detached });
}

/** The guest content of a volume. It is computed from the model and not from the built volume. */
export function luks2Content(model: Luks2Model): Uint8Array {
  return patternBytes(model.pattern, model.size);
}

function secretsOf(model: Luks2Model, volumeKey: Uint8Array, random: RandomBytes): Luks2Secrets {
  const salts = model.keys.map(() => random(SALT_BYTES));
  const digestSalt = random(SALT_BYTES);
  const { hash, digestIterations } = model;
  // The length of LUKS1 digests, which every hash can produce.
  const digest = pbkdf2(hash, volumeKey, digestSalt, digestIterations, DIGEST_BYTES);
  return { salts, digestSalt, digest };
}

function material(
  { keyBytes, hash, encryption, material: kind }: Luks2Model,
  { key, volumeKey, salt, random }: {
    key: Luks2KeyModel;
    volumeKey: Uint8Array;
    salt: Uint8Array;
    random: RandomBytes;
  },
): Uint8Array {
  const none = { hash: "", iterations: 0, time: 0, memory: 0, cpus: 0 };
  const passphrase = utf8(key.passphrase);
  const slotKey = deriveKey({ ...none, ...key.kdf, salt }, passphrase, keyBytes);
  const cipher = cipherOf({ encryption, sectorSize: SECTOR }, slotKey);
  return keyMaterial(volumeKey, { stripes: STRIPES, hash, cipher, random, kind });
}

function encrypted(model: Luks2Model, volumeKey: Uint8Array): Uint8Array {
  const payload = luks2Content(model).slice();
  cipherOf(model, volumeKey).encrypt(payload, BigInt(model.ivTweak));
  return payload;
}

function copySegments(model: Luks2Model, secrets: Luks2Secrets, random: RandomBytes): Segment[] {
  const json = utf8(JSON.stringify(metadataOf(model, secrets)));
  const { headerSize: size, label, subsystem, uuid, checksum } = model;
  return (["primary", "secondary"] as const).map((name) => {
    const { [name]: state } = model;
    const seqid = BigInt(model.seqid) - (state === "older" ? 1n : 0n);
    const salt = random(HEADER_SALT_BYTES);
    const bytes = encodeCopy({ name, size, seqid, label, subsystem, uuid, checksum, salt, json });
    return { offset: name === "primary" ? 0 : size, bytes: spoilt(bytes, state) };
  });
}

/** Offset of the changed byte in a garbled copy, in its JSON. */
const GARBLED_AT = BINARY_BYTES + 1;

function spoilt(copy: Uint8Array, state: CopyState): Uint8Array {
  if (state === "missing") copy.fill(0);
  if (state === "garbled") copy[GARBLED_AT] = (copy[GARBLED_AT] ?? 0) ^ 1;
  return copy;
}

function placedHeader(model: Luks2Model): Placed[] {
  const { headerSize, keys } = model;
  const copy = (name: CopyName, offset: number): Placed[] => [
    { path: `/${name}`, offset, length: header.size, struct: header, role: "header" },
    {
      path: `/${name}/json`,
      offset: offset + BINARY_BYTES,
      length: headerSize - BINARY_BYTES,
      role: "table",
    },
  ];
  const areas = placesOf(model).areas.map(({ offset, size }, index): Placed => ({
    path: `/key_material[${keys[index]?.slot}]`,
    offset,
    length: size,
    role: "data",
  }));
  return [...copy("primary", 0), ...copy("secondary", headerSize), ...areas];
}
