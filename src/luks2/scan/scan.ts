import { type ByteSource, hex, PatchedSource, startsWith } from "../../bytes/mod.ts";
import { imageText, type Remains } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import { withChecksum } from "../build/header.ts";
import { decodeLuks2, type HeaderCopy, isReadable } from "../decode.ts";
import { BINARY_BYTES } from "../geometry.ts";
import { header as headerStruct, PRIMARY_MAGIC } from "../structures.ts";

/** What a file shows of a volume whose first header is damaged: its second one has everything. */
export function scanLuks2(source: ByteSource): readonly Remains[] {
  const magic = new PatchedSource(source, [{ offset: 0, bytes: PRIMARY_MAGIC }]);
  const whole = decodeLuks2(magic).primary;
  if (isReadable(whole)) {
    if (startsWith(source.read(0, PRIMARY_MAGIC.length), PRIMARY_MAGIC)) {
      return [remainsOf(whole, ["The first header is intact, with a correct checksum"])];
    }
    const sign = startsWith(source.read(0, KEPT), PRIMARY_MAGIC.subarray(0, KEPT))
      ? ["cryptsetup-reencrypt marks volumes like this until it ends: its log says how far it came"]
      : [];
    const evidence = [
      "The first header is intact except for its magic: its checksum is correct",
      ...sign,
    ];
    return [remainsOf(whole, evidence, PRIMARY_MAGIC)];
  }
  const { secondary } = decodeLuks2(source);
  if (!isReadable(secondary)) return [];
  const { offset, header } = secondary;
  return [
    remainsOf(
      secondary,
      [`The second header at ${hex(offset)} is intact, with a correct checksum`],
      primaryOf(source, secondary),
    ),
  ].map((found) => ({ ...found, evidence: [...found.evidence, `Its seqid is ${header.seqid}`] }));
}

/** Bytes of the magic that an interrupted reencryption leaves: "LUKS". */
const KEPT = 4;

/** The first header, as the second one has it. */
function primaryOf(source: ByteSource, { offset, header }: HeaderCopy): Uint8Array {
  const copy = source.read(offset, Number(header.hdr_size)).slice();
  copy.set(encode(headerStruct, { ...header, magic: PRIMARY_MAGIC, hdr_offset: 0n }));
  return withChecksum(copy, imageText(header.csum_alg));
}

function remainsOf(
  { header, offset }: HeaderCopy,
  evidence: readonly string[],
  bytes?: Uint8Array,
): Remains {
  return {
    format: "luks2",
    confidence: "certain",
    evidence,
    fields: [
      { name: "hdr_size", value: Number(header.hdr_size), note: `${BINARY_BYTES} of them binary` },
      { name: "seqid", value: Number(header.seqid) },
      { name: "label", value: imageText(header.label) },
      { name: "uuid", value: imageText(header.uuid) },
      { name: "csum_alg", value: imageText(header.csum_alg) },
      { name: "hdr_offset", value: 0, isOffset: true, ...(offset === 0 ? {} : { note: "first" }) },
    ],
    unknown: [],
    ...(bytes === undefined ? {} : { repair: [{ offset: 0, bytes }] }),
  };
}
