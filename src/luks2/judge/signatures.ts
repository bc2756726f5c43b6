import { type ByteSource, hex } from "../../bytes/mod.ts";
import { findSignatures } from "../../signatures/mod.ts";
import type { ChosenCopy } from "../copies.ts";
import type { AddFinding } from "../findings.ts";

/**
 * Where one copy would have to be repaired, cryptsetup asks libblkid whether something else is on the
 * device. If so, it neither repairs nor opens it: an old copy may be left on a disk that is in use.
 *
 * @param source the file with the header
 * @see cryptsetup lib/luks2/luks2_disk_metadata.c, LUKS2_disk_hdr_read, detect_device_signatures
 */
export function judgeSignatures(chosen: ChosenCopy, add: AddFinding, source: ByteSource): void {
  const { primary, secondary, metadata } = chosen;
  if (metadata === undefined || primary.unread || secondary.unread) return;
  const sound = primary.metadata !== undefined && secondary.metadata !== undefined;
  if (sound && primary.copy.header.seqid === secondary.copy.header.seqid) return;
  const found = findSignatures(source);
  const [first] = found;
  if (first === undefined) return;
  const { copy } = metadata === primary.metadata ? secondary : primary;
  const names = found.map(({ signature, offset }) => `${signature.title} at ${hex(offset)}`);
  const end = copy.offset + Number(metadata.copy.header.hdr_size);
  const inCopy = found.every(({ offset }) => offset >= copy.offset && offset < end);
  add(
    "luks2.copy.signature",
    { path: `/${copy.name}`, offset: first.offset },
    () =>
      `The ${copy.name} copy of the header needs a repair, and the file also contains ` +
      `${names.join(" and ")}: cryptsetup does not choose between them. If the volume is wanted, ` +
      `'cryptsetup repair' writes the ${copy.name} copy again from the ${metadata.copy.name} one` +
      (inCopy ? ", over everything that is there now" : ""),
  );
}
