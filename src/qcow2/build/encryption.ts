import type { Segment } from "../../bytes/mod.ts";
import { legacyAes } from "../../crypto/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import {
  createLuks1,
  eraseKey,
  header as luksHeader,
  HEADER_BYTES,
  keySlot,
  Luks1Volume,
  materialSectors,
  payloadStart,
} from "../../luks1/mod.ts";
import { SECTOR } from "../geometry.ts";
import type { LuksEncryption, Qcow2Model } from "../model.ts";
import { encryptionPointer } from "../structures.ts";
import type { Extent } from "./extent.ts";
import { utf8 } from "./normalise_values.ts";
import { remembering } from "./remembering.ts";

/** Encrypts the bytes of a cluster in place. */
export type EncryptCluster = (
  bytes: Uint8Array,
  /** Byte offsets: in the guest's disk, and in the file that holds the clusters. */
  at: { readonly guest: bigint; readonly host: number },
) => void;

/** The encryption of an image before it is known where anything lies. */
export interface EncryptionPlan {
  readonly encrypt: EncryptCluster;
  /** The LUKS header with its key material, where there is one. */
  readonly embedded?: EmbeddedPlan;
}

interface EmbeddedPlan {
  readonly extent: Extent;
  readonly volume: VolumeParts;
}

/** What of a LUKS header and its key material is not zeros, by offset from its start. */
interface VolumeParts {
  readonly segments: readonly Segment[];
  readonly placed: readonly Placed[];
  readonly masterKey: Uint8Array;
}

/** Plans the encryption; `undefined` without any. */
export function planEncryption({ encryption }: Qcow2Model): EncryptionPlan | undefined {
  if (encryption === undefined) return undefined;
  if (encryption.kind === "aes") {
    const cipher = legacyAes(utf8(encryption.passphrase));
    return { encrypt: (bytes, { guest }) => cipher.encrypt(bytes, guest / BigInt(SECTOR)) };
  }
  const volume = volumeParts(encryption);
  const cipher = new Luks1Volume(encryption.spec, volume.masterKey);
  const length = (payloadStart(encryption.spec.keyBytes) + encryption.gap) * SECTOR;
  return {
    encrypt: (bytes, { host }) => cipher.encryptSectors(bytes, BigInt(host / SECTOR)),
    embedded: {
      extent: {
        path: "/encryption_header",
        length: length + encryption.spare,
        role: "data",
        refs: 1,
        offset: 0,
      },
      volume,
    },
  };
}

/** What the full disk encryption header pointer says, once the header has its place. */
export function pointerData(plan: EncryptionPlan | undefined): Uint8Array | undefined {
  if (plan?.embedded === undefined) return undefined;
  const { offset, length } = plan.embedded.extent;
  return encode(encryptionPointer, { offset: BigInt(offset), length: BigInt(length) });
}

/** The bytes of the LUKS header and its key material, once they have their place. */
export function writeEmbedded(
  { extent, volume }: EmbeddedPlan,
): { segments: Segment[]; placed: Placed[] } {
  const moved = <Part extends { readonly offset: number }>(part: Part): Part => ({
    ...part,
    offset: extent.offset + part.offset,
  });
  return { segments: volume.segments.map(moved), placed: volume.placed.map(moved) };
}

/** Bytes of volumes that are kept: their stripes take longer to make than the rest of an image. */
const REMEMBERED_MAX = 16 << 20;

const volumeParts = remembering(makeVolume, {
  sizeOf: ({ segments }) => segments.reduce((sum, { bytes }) => sum + bytes.length, 0),
  sizeMax: REMEMBERED_MAX,
});

function makeVolume(model: LuksEncryption): VolumeParts {
  const random = seededBytes(model.seed);
  const [first, ...others] = model.keys.map(({ passphrase, ...key }) => ({
    ...key,
    passphrase: utf8(passphrase),
  }));
  if (first === undefined) throw new TypeError("Cannot encrypt an image without a key");
  const { keyBytes } = model.spec;
  const created = createLuks1({
    ...model.spec,
    ...first,
    slots: others,
    digestIterations: model.digestIterations,
    payloadOffset: payloadStart(keyBytes) + model.gap,
    uuid: model.uuid,
    random,
    material: model.material,
  });
  const left = model.material === "sparse" ? (length: number) => new Uint8Array(length) : random;
  const stored = model.erased.reduce(
    (bytes, slot) => eraseKey(bytes, { slot, random: left, force: true }).header,
    created.header,
  );
  const placed = placedParts(keyBytes);
  const used = new Set([...model.keys.map(({ slot }) => slot), ...model.erased]);
  const segments = [
    { offset: 0, bytes: stored.slice(0, HEADER_BYTES) },
    ...placed.filter((_, index) => used.has(index - PARTS_BEFORE_MATERIAL))
      .map(({ offset, length }) => ({ offset, bytes: stored.slice(offset, offset + length) })),
  ];
  return { segments, placed, masterKey: created.masterKey };
}

/** Bytes that follow from a seed, other ones with each call. */
function seededBytes(seed: number): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    const bytes = patternBytes({ kind: "noise", seed }, length, at);
    at += length;
    return bytes;
  };
}

const SLOTS = (HEADER_BYTES - luksHeader.size) / keySlot.size;
const PARTS_BEFORE_MATERIAL = 2;

/** What edits can name: the header, its slots, and then the key material of each of them. */
function placedParts(keyBytes: number): Placed[] {
  const length = materialSectors(keyBytes) * SECTOR;
  // Eight slots of equal length start behind the header, where a payload would without any key.
  const first = payloadStart(0);
  const step = (payloadStart(keyBytes) - first) / SLOTS;
  return [
    {
      path: "/luks/header",
      offset: 0,
      length: luksHeader.size,
      struct: luksHeader,
      role: "header",
    },
    {
      path: "/luks/key_slots",
      offset: luksHeader.size,
      length: HEADER_BYTES - luksHeader.size,
      struct: keySlot,
      count: SLOTS,
      role: "header",
    },
    ...Array.from({ length: SLOTS }, (_, slot): Placed => ({
      path: `/luks/key_material[${slot}]`,
      offset: (first + slot * step) * SECTOR,
      length,
      role: "data",
    })),
  ];
}
