import { canonicalHash, hashTable } from "../../crypto/mod.ts";
import { imageText, isUuid } from "../../format/mod.ts";
import { CHECKSUM_BYTES, type HeaderCopy, isMagic } from "../decode.ts";
import { HEADER_SIZES } from "../geometry.ts";
import { type AddFinding, inHeader } from "../findings.ts";
import { PRIMARY_MAGIC, SECONDARY_MAGIC } from "../structures.ts";

const TEXTS = ["label", "csum_alg", "uuid", "subsystem"] as const;

/** Judges the binary header of a copy, in the order in which cryptsetup looks at it. */
export function judgeHeader(copy: HeaderCopy, add: AddFinding): void {
  const { header, name } = copy;
  if (!copy.complete && !copy.recognised) return judgeComplete(copy, add);
  const magic = name === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC;
  if (!isMagic(header.magic, magic)) {
    const text = name === "primary" ? "LUKS" : "SKUL";
    const message = () => `The ${name} copy does not start with '${text}', 0xba and 0xbe`;
    add("luks2.header.magic", inHeader(copy, "magic"), message);
    return;
  }
  if (header.version !== 2) {
    const message = () => `The version of the ${name} copy is ${header.version}, not 2`;
    add("luks2.header.version", inHeader(copy, "version"), message);
    return;
  }
  judgePlace(copy, add);
  judgeChecksum(copy, add);
  judgeFilling(copy, add);
}

function judgePlace(copy: HeaderCopy, add: AddFinding): void {
  const { header: { hdr_offset, hdr_size }, name, offset } = copy;
  if (hdr_offset !== BigInt(offset)) {
    const message = () => `The ${name} copy lies at byte ${offset}, and says ${hdr_offset}`;
    add("luks2.header.offset", inHeader(copy, "hdr_offset"), message);
  }
  if (!HEADER_SIZES.includes(Number(hdr_size))) {
    const message = () => `hdr_size of the ${name} copy is ${hdr_size}, which it cannot be`;
    add("luks2.header.size", inHeader(copy, "hdr_size"), message);
  }
  if (name === "secondary" && hdr_size !== BigInt(offset)) {
    const message = () => `The secondary copy lies at byte ${offset}, and has ${hdr_size} bytes`;
    add("luks2.header.size-is-place", inHeader(copy, "hdr_size"), message);
  }
  judgeComplete(copy, add);
}

function judgeComplete({ name, offset, complete }: HeaderCopy, add: AddFinding): void {
  if (complete) return;
  const place = { path: `/${name}`, offset };
  add("luks2.header.readable", place, () => `The ${name} copy reaches past the end of the file`);
}

function judgeChecksum(copy: HeaderCopy, add: AddFinding): void {
  const { header: { csum_alg }, name, intact } = copy;
  const hash = imageText(csum_alg);
  if (canonicalHash(hash) === undefined) {
    const message = () => `The hash of the checksum of the ${name} copy is ${JSON.stringify(hash)}`;
    add("luks2.header.checksum-hash", inHeader(copy, "csum_alg"), message);
  } else if (intact === false) {
    const message = () => `The checksum of the ${name} copy is another one`;
    add("luks2.header.checksum", inHeader(copy, "csum"), message);
  }
}

/** What nobody looks at. */
function judgeFilling(copy: HeaderCopy, add: AddFinding): void {
  const { header, name } = copy;
  for (const field of TEXTS) {
    if (header[field].includes(0)) continue;
    const message = () => `${field} of the ${name} copy has no NUL byte at its end`;
    add("luks2.header.text-nul", inHeader(copy, field), message);
  }
  const digestSize = hashTable[canonicalHash(imageText(header.csum_alg)) ?? ""]?.digestSize ??
    CHECKSUM_BYTES;
  const rests = {
    _padding: header._padding,
    csum: header.csum.subarray(digestSize),
    _padding4096: header._padding4096,
  };
  for (const [field, rest] of Object.entries(rests)) {
    if (rest.every((byte) => byte === 0)) continue;
    const message = () => `There is something else than zeros in ${field} of the ${name} copy`;
    add("luks2.header.padding", inHeader(copy, field as keyof typeof rests), message);
  }
  if (!isUuid(imageText(header.uuid))) {
    const message = () =>
      `uuid of the ${name} copy is ${JSON.stringify(imageText(header.uuid))}, not that of a UUID`;
    add("luks2.header.uuid", inHeader(copy, "uuid"), message);
  }
}
