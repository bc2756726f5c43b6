import { roundUp, utf8 } from "../../bytes/mod.ts";
import type { Json } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import { checksumOf, type CopyName, type Luks2Header } from "../decode.ts";
import { BINARY_BYTES, materialBytes, STRIPES, UNIT } from "../geometry.ts";
import { metadata } from "../json/description.ts";
import { write } from "../json/write.ts";
import type { Luks2Model } from "../model.ts";
import { header as headerStruct, PRIMARY_MAGIC, SECONDARY_MAGIC } from "../structures.ts";

/** The parts of a copy of a header. */
export interface CopyOptions {
  readonly name: CopyName;
  /** Length of the copy in bytes. */
  readonly size: number;
  readonly seqid: bigint;
  readonly label: string;
  readonly subsystem: string;
  readonly uuid: string;
  /** The hash of the checksum. */
  readonly checksum: string;
  readonly salt: Uint8Array;
  /** Shorter than the JSON area. */
  readonly json: Uint8Array;
}

/** Writes one copy: the binary header, the JSON area, and the checksum of both. */
export function encodeCopy(options: CopyOptions): Uint8Array {
  const { size, json } = options;
  const copy = new Uint8Array(size);
  copy.set(json.subarray(0, size - BINARY_BYTES), BINARY_BYTES);
  copy.set(encode(headerStruct, headerOf(options)));
  return withChecksum(copy, options.checksum);
}

/** A copy with a correct checksum. */
export function withChecksum(copy: Uint8Array, checksum: string): Uint8Array {
  const binary = copy.subarray(0, BINARY_BYTES);
  const sum = checksumOf({ csum_alg: ascii(checksum, 32) }, binary, copy.subarray(BINARY_BYTES));
  const target = copy.slice();
  target.fill(0, headerStruct.offsets.csum, headerStruct.offsets._padding4096);
  if (sum !== undefined) target.set(sum, headerStruct.offsets.csum);
  return target;
}

function headerOf(options: CopyOptions): Luks2Header {
  const primary = options.name === "primary";
  return {
    magic: primary ? PRIMARY_MAGIC : SECONDARY_MAGIC,
    version: 2,
    hdr_size: BigInt(options.size),
    seqid: options.seqid,
    label: ascii(options.label, 48),
    csum_alg: ascii(options.checksum, 32),
    salt: options.salt,
    uuid: ascii(options.uuid, 40),
    subsystem: ascii(options.subsystem, 48),
    hdr_offset: primary ? 0n : BigInt(options.size),
    _padding: new Uint8Array(184),
    csum: new Uint8Array(64),
    _padding4096: new Uint8Array(7 * 512),
  };
}

function ascii(text: string, width: number): Uint8Array {
  const padded = new Uint8Array(width);
  padded.set(utf8(text).subarray(0, width));
  return padded;
}

/** Offsets of the parts of a volume in bytes. */
export interface Luks2Places {
  /** The area of each key, in the order of the model. */
  readonly areas: readonly { readonly offset: number; readonly size: number }[];
  readonly keyslotsSize: number;
  /** Start of the segment; 0 if it is in another file. */
  readonly payload: number;
}

/** Lays a volume out as cryptsetup does: copies, areas of the key slots, payload. */
export function placesOf({ headerSize, keys, keyBytes, spare, detached }: Luks2Model): Luks2Places {
  const size = roundUp(materialBytes(keyBytes), UNIT);
  const areas = keys.map((_, index) => ({ offset: 2 * headerSize + index * size, size }));
  const keyslotsSize = keys.length * size + spare;
  return { areas, keyslotsSize, payload: detached ? 0 : 2 * headerSize + keyslotsSize };
}

/** The random bytes in the JSON of a volume. */
export interface Luks2Secrets {
  /** The salt of each key, in the order of the model. */
  readonly salts: readonly Uint8Array[];
  readonly digestSalt: Uint8Array;
  readonly digest: Uint8Array;
}

/** The JSON of a volume, in the order in which cryptsetup writes it. */
export function metadataOf(model: Luks2Model, secrets: Luks2Secrets): Json {
  const { areas, keyslotsSize, payload } = placesOf(model);
  const { keyBytes: key_size, hash, encryption } = model;
  const slots = model.keys.map(({ slot }) => String(slot));
  return write(metadata, {
    keyslots: Object.fromEntries(model.keys.map(({ slot, priority, kdf }, index) => {
      const { offset = 0, size = 0 } = areas[index] ?? {};
      return [slot, {
        type: "luks2",
        key_size,
        ...(priority === 1 ? {} : { priority }),
        af: { type: "luks1", stripes: STRIPES, hash },
        area: { type: "raw", offset: BigInt(offset), size: BigInt(size), encryption, key_size },
        kdf: { ...kdf, salt: secrets.salts[index] ?? new Uint8Array(0) },
      }];
    })),
    tokens: Object.fromEntries(Array.from({ length: model.tokens }, (_, index) => [
      index,
      { type: "luks2-keyring", keyslots: slots, key_description: `diskproof:${index}` },
    ])),
    segments: {
      "0": {
        type: "crypt",
        offset: BigInt(payload),
        size: model.fixed ? BigInt(model.size) : undefined,
        iv_tweak: BigInt(model.ivTweak),
        encryption,
        sector_size: model.sectorSize,
      },
    },
    digests: {
      "0": {
        type: "pbkdf2",
        keyslots: slots,
        segments: ["0"],
        hash,
        iterations: model.digestIterations,
        salt: secrets.digestSalt,
        digest: secrets.digest,
      },
    },
    config: {
      json_size: BigInt(model.headerSize - BINARY_BYTES),
      keyslots_size: BigInt(keyslotsSize),
    },
  });
}
