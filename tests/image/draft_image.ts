/**
 * An image by the draft of 2016. No program ever wrote one: the code that came with the draft did not
 * create any. So it is made here by the text of the draft, by hand.
 */

import { SECTOR, SegmentSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, patternBytes } from "../../src/format/mod.ts";
import { createLuks1, Luks1Volume } from "../../src/luks1/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import { plain } from "../qcow2/built_parts.ts";

const CRYPT_METHOD = 32;
const LUKS = 2;
const HEADER_BYTES = 592;
const PAYLOAD_OFFSET = 104;
const EXTENSION = 0x4c554b53;
/** Where the file has its first extension, and the data of it. */
const EXTENSION_AT = 112;
const DATA_AT = EXTENSION_AT + 8;
/** Room for eight times 4000 stripes of 16 bytes in the first cluster. */
const CLUSTER_BITS = 20;

/** The image, and what a guest sees of it. */
export function draftImage(passphrase: string): { image: BuiltImage; content: Uint8Array } {
  const spec = {
    cipher: "aes",
    keyBytes: 16,
    mode: "cbc",
    ivGenerator: "essiv",
    ivHash: "sha256",
    hash: "sha256",
  };
  const { header, masterKey } = createLuks1({
    ...spec,
    passphrase: new TextEncoder().encode(passphrase),
    iterations: 10,
    uuid: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10",
    random: (length) => patternBytes({ kind: "noise", seed: 5 }, length),
  });
  const content = patternBytes({ kind: "text", seed: 3 }, 2 ** CLUSTER_BITS);
  const { image } = buildQcow2(normaliseQcow2({
    ...plain,
    clusterBits: CLUSTER_BITS,
    size: BigInt(content.length),
    headerLength: EXTENSION_AT,
    featureTable: false,
    clusters: [{ index: 0, kind: "data", pattern: { kind: "text", seed: 3 } }],
  }));
  const bytes = new SegmentSource(image.segments, image.size).read(0, image.size).slice();
  const data = image.placed.find(({ path }) => path === "/data[0]");
  if (data === undefined) throw new Error("The image has no cluster of data");
  // The draft numbers sectors as the guest does; its first cluster starts with number 0.
  const volume = new Luks1Volume(spec, masterKey);
  volume.encryptSectors(bytes.subarray(data.offset, data.offset + data.length), 0n);
  embed(bytes, header);
  return { image: { ...image, segments: [{ offset: 0, bytes }] }, content };
}

/**
 * Puts header and key material into an extension. key_material_offset counts from the start of the
 * image, so that the key material stays where it is and only the header moves.
 */
function embed(bytes: Uint8Array, header: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  const length = header.length - DATA_AT;
  view.setUint32(CRYPT_METHOD, LUKS);
  bytes.fill(0, EXTENSION_AT, header.length + 8);
  view.setUint32(EXTENSION_AT, EXTENSION);
  view.setUint32(EXTENSION_AT + 4, length);
  bytes.set(header.subarray(4096), 4096);
  bytes.set(header.subarray(0, HEADER_BYTES), DATA_AT);
  view.setUint32(DATA_AT + PAYLOAD_OFFSET, Math.ceil(length / SECTOR));
}
