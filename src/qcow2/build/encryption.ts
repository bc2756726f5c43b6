import { SECTOR, type Segment, utf8 } from "../../bytes/mod.ts";
import { type Placed, remembering } from "../../format/mod.ts";
import { buildHeader, type BuiltHeader, payloadSector } from "../../luks1/mod.ts";
import { type Encrypt, legacyEncryption, luksEncryption } from "../encode/encrypt.ts";
import type { LuksEncryption, Qcow2Model } from "../model.ts";
import type { Extent } from "./extent.ts";

/** The encryption of an image before anything has an offset. */
export interface EncryptionPlan {
  readonly encrypt: Encrypt;
  /** The LUKS header with its key material, if there is one. */
  readonly embedded?: EmbeddedPlan;
}

interface EmbeddedPlan {
  readonly extent: Extent;
  readonly header: BuiltHeader;
}

/** Plans the encryption; `undefined` if there is none. */
export function planEncryption({ encryption }: Qcow2Model): EncryptionPlan | undefined {
  if (encryption === undefined) return undefined;
  if (encryption.kind === "aes") {
    return { encrypt: legacyEncryption(utf8(encryption.passphrase)) };
  }
  const header = headerOf(encryption);
  const length = payloadSector(encryption) * SECTOR + encryption.spare;
  const extent: Extent = { path: "/encryption_header", length, role: "data", refs: 1, offset: 0 };
  return {
    encrypt: luksEncryption(encryption.spec, header.masterKey),
    embedded: { extent, header },
  };
}

/** The bytes of the LUKS header and its key material. They must have their offset. */
export function writeEmbedded(
  { extent, header }: EmbeddedPlan,
): { segments: Segment[]; placed: Placed[] } {
  const moved = <Part extends { readonly offset: number }>(part: Part): Part => ({
    ...part,
    offset: extent.offset + part.offset,
  });
  return { segments: header.segments.map(moved), placed: header.placed.map(moved) };
}

/**
 * Bytes of headers that are cached: making their stripes takes longer than the rest of an image.
 */
const REMEMBERED_MAX = 16 << 20;

const headerOf = remembering((model: LuksEncryption) => buildHeader(model, "/luks"), {
  sizeOf: ({ segments }) => segments.reduce((sum, { bytes }) => sum + bytes.length, 0),
  sizeMax: REMEMBERED_MAX,
});
