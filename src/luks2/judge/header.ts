import { isZero, startsWith } from "../../bytes/mod.ts";
import { canonicalHash, hashTable } from "../../crypto/mod.ts";
import { imageText, isUuid } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import type { HeaderCopy } from "../decode.ts";
import { type AddFinding, inHeader } from "../findings.ts";
import {
  CHECKSUM_BYTES,
  header as headerStruct,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "../structures.ts";

/** Judges the binary header of a copy, in cryptsetup's order. */
export function judgeHeader(copy: HeaderCopy, add: AddFinding): void {
  const { header, name, offset } = copy;
  if (!copy.complete && !copy.recognised) return judgeComplete(copy, add);
  const magic = name === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC;
  if (!startsWith(header.magic, magic)) {
    const text = name === "primary" ? "LUKS" : "SKUL";
    const message = () => `The ${name} copy does not start with '${text}', 0xba and 0xbe`;
    add("luks2.header.magic", inHeader(copy, "magic"), message);
    return;
  }
  const judge = judgeOf(headerStruct, header, {
    of: `the ${name} copy`,
    place: (field) => inHeader(copy, field),
    findings: { add },
  });
  if (!judge("luks2.header.version")) return;
  if (header.hdr_offset !== BigInt(offset)) {
    const message = () => `hdr_offset of the ${name} copy is ${header.hdr_offset}, not ${offset}`;
    add("luks2.header.offset", inHeader(copy, "hdr_offset"), message);
  }
  judge("luks2.header.size");
  if (name === "secondary" && header.hdr_size !== BigInt(offset)) {
    const message = () =>
      `hdr_size of the secondary copy is ${header.hdr_size}, not its offset, ${offset}`;
    add("luks2.header.size-is-place", inHeader(copy, "hdr_size"), message);
  }
  judgeComplete(copy, add);
  judgeChecksum(copy, add);
  // Ignored by cryptsetup.
  judge("luks2.header.text-nul", "luks2.header.padding");
  judgeDigestEnd(copy, add);
  if (!isUuid(imageText(header.uuid))) {
    const message = () =>
      `uuid of the ${name} copy is ${JSON.stringify(imageText(header.uuid))}, not a UUID`;
    add("luks2.header.uuid", inHeader(copy, "uuid"), message);
  }
}

function judgeComplete({ name, offset, complete }: HeaderCopy, add: AddFinding): void {
  if (complete) return;
  const place = { path: `/${name}`, offset };
  add("luks2.header.readable", place, () => `The ${name} copy extends past the end of the file`);
}

function judgeChecksum(copy: HeaderCopy, add: AddFinding): void {
  const { header: { csum_alg }, name, intact } = copy;
  const hash = imageText(csum_alg);
  if (canonicalHash(hash) === undefined) {
    const message = () =>
      `csum_alg of the ${name} copy is ${JSON.stringify(hash)}, which is not a known hash`;
    add("luks2.header.checksum-hash", inHeader(copy, "csum_alg"), message);
  } else if (intact === false) {
    const message = () => `The checksum of the ${name} copy does not match`;
    add("luks2.header.checksum", inHeader(copy, "csum"), message);
  }
}

/** Judges the bytes after a digest that is shorter than its field. */
function judgeDigestEnd(copy: HeaderCopy, add: AddFinding): void {
  const { csum, csum_alg } = copy.header;
  const { digestSize = CHECKSUM_BYTES } = hashTable[canonicalHash(imageText(csum_alg)) ?? ""] ?? {};
  if (isZero(csum.subarray(digestSize))) return;
  const message = () =>
    `csum of the ${copy.name} copy is not zero after the ${digestSize} bytes of the digest`;
  add("luks2.header.padding", inHeader(copy, "csum"), message);
}
