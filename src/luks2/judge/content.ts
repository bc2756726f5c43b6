import { SECTOR } from "../../bytes/mod.ts";
import type { Metadata } from "../metadata.ts";
import { isKnownCipher, isUnimplemented, notAsDmCrypt, whyNoCipher } from "../encryption.ts";
import { type AddFinding, brokenAt, inJson, type Luks2Broken, shown } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { SECTOR_SIZES, UNIT } from "../geometry.ts";
import { interruptedFault } from "../reencryption/interrupted.ts";
import { requirementsOf } from "../reencryption/requirements.ts";
import { type Content, dataOffset, type Extent, type PayloadPlace } from "../segments/extents.ts";
import { encryptionsOf } from "../segments/location.ts";
import { dataSegments, digestsOfSegments } from "../segments/segments.ts";

type AddBroken = (rule: Luks2Rule, path: string, message: string) => void;

/**
 * Judges whether the content of a volume can be read at all, whatever the key.
 *
 * @returns the first rule for which it cannot
 */
export function judgeContent(
  metadata: Metadata,
  add: AddFinding,
  { payload, extents }: { payload: PayloadPlace; extents: readonly Extent[] },
): Luks2Broken | undefined {
  let first: Luks2Broken | undefined;
  const broken: AddBroken = (rule, path, message) => {
    const found = brokenAt(metadata, rule, path, message);
    first ??= found;
    add(rule, found.place, () => message);
  };
  judgeRequirements(metadata, broken);
  if (judgeSegments(metadata, broken) && judgeEncryptions(extents, broken)) {
    judgeKernel(metadata, add, extents);
    judgeKeys(metadata, broken);
    judgeInterrupted(metadata, broken);
  }
  judgePlaces(metadata, { payload, extents, broken });
  return first;
}

function judgeRequirements({ json }: Metadata, broken: AddBroken): void {
  const { unknown, offline } = requirementsOf(json);
  const path = "/config/requirements";
  if (unknown.length > 0) {
    broken("luks2.requirement.known", path, `The requirement ${shown(unknown[0])} is not known`);
  }
  if (offline) {
    broken("luks2.requirement.offline", path, "An offline reencryption is in progress");
  }
}

/** Judges the types of the data segments. */
function judgeSegments({ json, reencryption }: Metadata, broken: AddBroken): boolean {
  const segments = dataSegments(json);
  const several = reencryption !== undefined;
  const types = several ? ["crypt", "linear"] : ["crypt"];
  const other = segments.find(({ type, integrity }) => integrity || !types.includes(type));
  if (other !== undefined) {
    const what = other.integrity
      ? `has the integrity ${shown(other.integrity.type)}, which is not implemented`
      : `has the type ${shown(other.type)}`;
    broken("luks2.content.segments", "/segments", `Segment ${other.name} ${what}`);
  } else if (segments.length > 1 && !several) {
    const message = `There are ${segments.length} segments, and no reencryption is in progress`;
    broken("luks2.content.segments", "/segments", message);
  } else return true;
  return false;
}

/** Judges their encryption, and whether the interrupted part can be read. */
function judgeEncryptions(extents: readonly Extent[], broken: AddBroken): boolean {
  for (const { segment: { name }, location } of extents) {
    const path = `/segments/${name}`;
    if ("rule" in location) {
      broken(location.rule, path, location.message);
      return false;
    }
    for (const { use } of encryptionsOf(location)) {
      const { encryption, sectorSize } = use;
      if (!SECTOR_SIZES.includes(sectorSize)) {
        const message =
          `sector_size of segment ${name} is ${sectorSize}, which dm-crypt does not support`;
        broken("luks2.crypt.sector-size-known", `${path}/sector_size`, message);
        return false;
      }
      if (location.ivTweak % BigInt(sectorSize / SECTOR) !== 0n) {
        const message =
          `Sectors of ${sectorSize} bytes of segment ${name} are numbered from ${location.ivTweak}`;
        broken("luks2.crypt.iv-tweak-in-sectors", `${path}/iv_tweak`, message);
        return false;
      }
      if (!isKnownCipher(use)) {
        const message = isUnimplemented(use)
          ? `The cipher ${shown(encryption)} is not implemented`
          : `The cipher ${shown(encryption)} is not known`;
        broken("luks2.content.cipher", `${path}/encryption`, message);
        return false;
      }
    }
  }
  return true;
}

/** Whether the kernel reads the same content. It is read in any case. */
function judgeKernel({ copy }: Metadata, add: AddFinding, extents: readonly Extent[]): void {
  for (const { segment, location } of extents) {
    for (const { use } of "rule" in location ? [] : encryptionsOf(location)) {
      const message = notAsDmCrypt(use);
      if (message === undefined) continue;
      const place = inJson(copy, `/segments/${segment.name}/encryption`);
      return add("luks2.content.dm-crypt", place, () => message);
    }
  }
}

/** The keys of the data in a reencryption are those of its backup segments. */
function judgeKeys({ json, reencryption }: Metadata, broken: AddBroken): void {
  if (reencryption === undefined) return;
  const { previous, final, hot } = reencryption;
  const digests = digestsOfSegments(json);
  const known = [previous.digest, final.digest];
  const other = dataSegments(json).find(({ type, name }) =>
    type === "crypt" && name !== hot?.name && !known.includes(digests.get(name))
  );
  if (other === undefined) return;
  const message = `Segment ${other.name} does not have a digest of the backup segments`;
  broken("luks2.reencryption.keys", `/segments/${other.name}`, message);
}

/** The interrupted part of a reencryption is read as cryptsetup recovers it. */
function judgeInterrupted({ json, reencryption }: Metadata, broken: AddBroken): void {
  if (reencryption === undefined) return;
  const [segments, digests] = [dataSegments(json), digestsOfSegments(json)];
  const message = interruptedFault({ reencryption, segments, digests });
  if (message !== undefined) broken("luks2.reencryption.layout", "/segments", message);
}

function judgePlaces(
  metadata: Metadata,
  { payload: { bytes, detached }, extents, broken }: {
    payload: PayloadPlace;
    extents: readonly Extent[];
    broken: AddBroken;
  },
): void {
  if (!detached && dataOffset(metadata) < BigInt(UNIT)) {
    const path = `/segments/${extents[0]?.segment.name}`;
    broken("luks2.payload.attached", path, "The payload is in another file, which was not given");
    return;
  }
  for (const { segment: { name, offset, size, sector_size, type }, wanted } of extents) {
    const path = `/segments/${name}`;
    if (!detached && offset >= BigInt(bytes)) {
      const message =
        `The payload starts at byte ${offset}, and the file ends at byte ${bytes}: it is ` +
        "a header without a payload, such as a header backup, or a truncated volume";
      broken("luks2.payload.header-alone", path, message);
      return;
    }
    const unit = BigInt(type === "crypt" ? sector_size : 1);
    if (wanted <= 0n || offset + wanted > BigInt(bytes)) {
      const long = size === undefined ? "" : ` and has ${size} bytes`;
      const message =
        `Segment ${name} starts at byte ${offset}${long}; its file has ${bytes} bytes`;
      broken("luks2.payload.inside-file", path, message);
    } else if (size === undefined && unit > 0n && wanted % unit !== 0n) {
      const message =
        `Segment ${name} has ${wanted} bytes, not a multiple of its sector size, ${sector_size}`;
      broken("luks2.payload.whole-sectors", path, message);
    }
  }
}

/** Why the content cannot be decrypted with these keys, by the names of their digests. */
export function whyNoKey(
  metadata: Metadata,
  { extents }: Content,
  keys: ReadonlyMap<string, Uint8Array>,
): Luks2Broken | undefined {
  for (const { segment: { name }, location } of extents) {
    for (const { use, digest } of encryptionsOf(location)) {
      const key = keys.get(digest.name);
      const message = key === undefined
        ? `Segment ${name} has another key`
        : whyNoCipher(use, key.length);
      if (message === undefined) continue;
      return brokenAt(metadata, "luks2.content.cipher", `/segments/${name}/encryption`, message);
    }
  }
  return undefined;
}
