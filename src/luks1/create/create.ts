import { SECTOR, utf8 } from "../../bytes/mod.ts";
import { encode, encodeInto } from "../../layout/mod.ts";
import { type MaterialKind, pbkdf2 } from "../../crypto/mod.ts";
import { type CipherSpec, type KeySlot, type Luks1Header, modeText } from "../decode.ts";
import { Luks1Error } from "../error.ts";
import { materialOffset, payloadStart } from "../geometry.ts";
import { checkIterations, type NewKey, type RandomBytes, writeKey } from "../keyslots/slot.ts";
import {
  DIGEST_BYTES,
  header as headerStruct,
  keySlot,
  LUKS_MAGIC,
  SALT_BYTES,
  SLOTS,
  slotStates,
  STRIPES,
} from "../structures.ts";
import { whyUnusable } from "../volume.ts";

/** Options for a new volume. */
export interface Luks1Options extends CipherSpec {
  /** The first key, in slot 0 by default. */
  readonly passphrase: Uint8Array;
  /** The slot of the first key. */
  readonly slot?: number;
  /** Iterations of PBKDF2 for the first key. */
  readonly iterations: number;
  /** More keys. */
  readonly slots?: readonly NewKey[];
  /** Iterations of the digest: by default an eighth of `iterations` and at least 1000, as QEMU's. */
  readonly digestIterations?: number;
  /**
   * Start of the payload in sectors. By default after the key material, as in QEMU, or 0 if the header
   * is detached.
   */
  readonly payloadOffset?: number;
  /** Whether the header is detached from its payload. */
  readonly detached?: boolean;
  /** At most 39 bytes of ASCII. */
  readonly uuid: string;
  /** Makes salts, stripes and the master key. */
  readonly random: RandomBytes;
  /** Kind of key material: `noise` by default, or `sparse`, which is only for tests. */
  readonly material?: MaterialKind | undefined;
}

/** A volume without its payload. */
export interface CreatedLuks1 {
  /**
   * Header and key material. With an attached header, the payload starts at `payload_offset`, which may
   * be after their end.
   */
  readonly header: Uint8Array;
  /** The master key. */
  readonly masterKey: Uint8Array;
}

const DIGEST_ITERATIONS_MIN = 1000;
const DIGEST_SHARE = 8;

/**
 * Creates header and key material of a new volume, with the layout of QEMU and cryptsetup.
 *
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { createLuks1 } from "../mod.ts";
 *
 * const { header } = createLuks1({
 *   cipher: "aes",
 *   keyBytes: 64,
 *   mode: "xts",
 *   ivGenerator: "plain64",
 *   hash: "sha256",
 *   passphrase: new TextEncoder().encode("secret"),
 *   iterations: 1000,
 *   uuid: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10",
 *   random: (length) => new Uint8Array(randomBytes(length)),
 * });
 * header.length; // 2068480, where the payload starts
 * ```
 *
 * @throws {Luks1Error} if the cipher does not exist, or a number or text is out of range
 */
export function createLuks1(options: Luks1Options): CreatedLuks1 {
  const { random, keyBytes, material } = options;
  checkOptions(options);
  const masterKey = random(keyBytes);
  const head = headOf(options, masterKey);
  let target: Uint8Array = new Uint8Array(payloadStart(keyBytes) * SECTOR);
  encodeHeader(target, head);
  for (const key of keysOf(options)) {
    target = writeKey(target, { ...key, masterKey, random, material });
  }
  return { header: target, masterKey };
}

/** All requested keys. */
function keysOf({ slot = 0, passphrase, iterations, slots = [] }: Luks1Options): NewKey[] {
  const keys = [{ slot, passphrase, iterations }, ...slots];
  const twice = keys.find((key, at) => keys.findIndex((other) => other.slot === key.slot) < at);
  if (twice === undefined) return keys;
  throw new Luks1Error(`Cannot create a volume: there are two keys for slot ${twice.slot}`);
}

function headOf(options: Luks1Options, masterKey: Uint8Array): Luks1Header {
  const { random, keyBytes, iterations, hash } = options;
  const salt = random(SALT_BYTES);
  const digestIterations = options.digestIterations ??
    Math.max(DIGEST_ITERATIONS_MIN, Math.floor(iterations / DIGEST_SHARE));
  const attached = options.detached === true ? 0 : payloadStart(keyBytes);
  return {
    magic: LUKS_MAGIC,
    version: 1,
    cipher_name: text(options.cipher, "cipher_name"),
    cipher_mode: text(modeText(options), "cipher_mode"),
    hash_spec: text(hash, "hash_spec"),
    payload_offset: options.payloadOffset ?? attached,
    key_bytes: keyBytes,
    mk_digest: pbkdf2(hash, masterKey, salt, digestIterations, DIGEST_BYTES),
    mk_digest_salt: salt,
    mk_digest_iter: digestIterations,
    uuid: text(options.uuid, "uuid"),
    slots: Array.from({ length: SLOTS }, (_, index) => emptySlot(keyBytes, index)),
  };
}

/** A slot that is not in use. */
function emptySlot(keyBytes: number, index: number): KeySlot {
  return {
    active: slotStates.disabled,
    iterations: 0,
    salt: new Uint8Array(SALT_BYTES),
    key_material_offset: materialOffset(keyBytes, index),
    stripes: STRIPES,
  };
}

/** Writes a header, with its slots, in front of its key material. */
export function encodeHeader(target: Uint8Array, head: Luks1Header): void {
  target.set(encode(headerStruct, head));
  head.slots.forEach((slot, index) => {
    encodeInto(keySlot, slot, { target, at: headerStruct.size + index * keySlot.size });
  });
}

function text(
  value: string,
  field: "cipher_name" | "cipher_mode" | "hash_spec" | "uuid",
): Uint8Array {
  const width = headerStruct.fields.find(({ name }) => name === field)?.width ?? 0;
  const bytes = utf8(value);
  if (bytes.length >= width) {
    throw new Luks1Error(
      `Cannot create a volume: ${JSON.stringify(value)} is too long for ${field}`,
    );
  }
  const padded = new Uint8Array(width);
  padded.set(bytes);
  return padded;
}

function checkOptions(options: Luks1Options): void {
  const { keyBytes, payloadOffset, detached = false, digestIterations = 1 } = options;
  const reason = whyUnusable(options);
  if (reason !== undefined) throw new Luks1Error(reason);
  checkIterations(options.iterations);
  checkIterations(digestIterations);
  const start = payloadStart(keyBytes);
  if (payloadOffset !== undefined && payloadOffset < start && !(detached && payloadOffset === 0)) {
    throw new Luks1Error(
      `Cannot create a volume: a payload at sector ${payloadOffset} is not after the key material, ` +
        `which ends at sector ${start}`,
    );
  }
}
