import { SECTOR } from "../../bytes/mod.ts";
import { isKnownCipher, notAsDmCrypt, whyNoCipher } from "../cipher.ts";
import { SECTOR_SIZES, UNIT } from "../geometry.ts";
import { interruptedFault } from "../reencryption/interrupted.ts";
import type { Metadata } from "../metadata.ts";
import { dataOffset, type PayloadPlace, type Piece, piecesOf } from "./extents.ts";
import { dataSegments, digestsOfSegments, reencryptionOf } from "../reencryption/reencryption.ts";
import { type AddFinding, type Luks2Broken, placeOf, shown } from "../findings.ts";
import type { Luks2Rule } from "../rules.ts";
import { requirementsOf } from "../requirements.ts";
import { type Encryption, encryptionsOf, type Stored } from "../stored.ts";

/** The content of a volume. */
export interface Content {
  /** In their order, none of them empty. */
  readonly pieces: readonly StoredPiece[];
  /** In bytes. */
  readonly length: number;
}

/** A piece that can be read. */
export type StoredPiece = Piece & { readonly stored: Stored };

/** What is read as the content of a volume. What cannot be read of it with any key is left out. */
export function contentOf({ root }: Metadata, payload: PayloadPlace): Content {
  const pieces = piecesOf(root, payload);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { pieces: pieces.filter(isStored).filter((piece) => piece.length > 0), length };
}

function isStored(piece: Piece): piece is StoredPiece {
  return "file" in piece.stored;
}

/**
 * Judges whether the content of a volume can be read at all, whatever the key.
 *
 * @returns the first rule for which it cannot
 */
export function judgeContent(
  metadata: Metadata,
  add: AddFinding,
  payload: PayloadPlace,
): Luks2Broken | undefined {
  let first: Luks2Broken | undefined;
  const broken = (rule: Luks2Rule, path: string, message: string): void => {
    const found = { rule, place: placeOf(metadata.copy, path), message };
    first ??= found;
    add(rule, found.place, () => message);
  };
  const pieces = piecesOf(metadata.root, payload);
  judgeRequirements(metadata, broken);
  const kept = judgeSegments(metadata, broken) && judgeEncryptions(pieces, broken);
  if (kept) judgeKernel(metadata, add, pieces);
  if (kept) judgeKeys(metadata, broken);
  if (kept) judgeInterrupted(metadata, broken);
  judgePlaces(metadata, { payload, pieces, broken });
  return first;
}

type TakeBroken = (rule: Luks2Rule, path: string, message: string) => void;

function judgeRequirements({ root }: Metadata, broken: TakeBroken): void {
  const { unknown, offline } = requirementsOf(root);
  const path = "/config/requirements";
  if (unknown.length > 0) {
    broken("luks2.requirement.known", path, `${shown(unknown[0])} is required, and not known`);
  }
  if (offline) {
    broken("luks2.requirement.offline", path, "An offline reencryption of the volume is going on");
  }
}

/** What the segments of the data are. */
function judgeSegments({ root }: Metadata, broken: TakeBroken): boolean {
  const segments = dataSegments(root);
  const several = reencryptionOf(root) !== undefined;
  const types = several ? ["crypt", "linear"] : ["crypt"];
  const other = segments.find(({ type, integrity }) => integrity || !types.includes(type));
  if (other !== undefined || segments.length > 1 && !several) {
    const { type, integrity } = other ?? segments[0] as typeof segments[number];
    const what = integrity ? "with integrity" : `of type ${shown(type)}`;
    const message = several
      ? `Segment ${other?.name} is one ${what}`
      : `There are ${segments.length} segments, no reencryption is going on, and one is ${what}`;
    broken("luks2.content.segments", "/segments", message);
    return false;
  }
  return true;
}

/** How they are encrypted, and whether what was interrupted can be read. */
function judgeEncryptions(pieces: readonly Piece[], broken: TakeBroken): boolean {
  for (const { segment, stored } of pieces) {
    const path = `/segments/${segment.name}`;
    if ("rule" in stored) {
      broken(stored.rule, path, stored.message);
      return false;
    }
    for (const { use } of encryptionsOf(stored)) {
      if (!SECTOR_SIZES.includes(use.sectorSize)) {
        const message = `Sectors of ${use.sectorSize} bytes cannot be read`;
        broken("luks2.crypt.sector-size-known", `${path}/sector_size`, message);
        return false;
      }
      if (stored.ivTweak % BigInt(use.sectorSize / SECTOR) !== 0n) {
        const message = `Sectors of ${use.sectorSize} bytes are numbered from ${stored.ivTweak} on`;
        broken("luks2.crypt.iv-tweak-in-sectors", `${path}/iv_tweak`, message);
        return false;
      }
      if (!isKnownCipher(use)) {
        const message = `The cipher ${shown(use.encryption)} is not known`;
        broken("luks2.content.cipher", `${path}/encryption`, message);
        return false;
      }
    }
  }
  return true;
}

/** Whether the kernel has the same content. It is read in any case. */
function judgeKernel({ copy }: Metadata, add: AddFinding, pieces: readonly Piece[]): void {
  for (const { segment, stored } of pieces) {
    for (const { use } of "rule" in stored ? [] : encryptionsOf(stored)) {
      const message = notAsDmCrypt(use);
      if (message === undefined) continue;
      const place = placeOf(copy, `/segments/${segment.name}/encryption`);
      return add("luks2.content.dm-crypt", place, () => message);
    }
  }
}

/** The keys that a reencryption has are those of its backup segments. */
function judgeKeys({ root }: Metadata, broken: TakeBroken): void {
  const reencryption = reencryptionOf(root);
  if (reencryption === undefined) return;
  const { previous, final, hot } = reencryption;
  const digests = digestsOfSegments(root);
  const known = [previous.digest?.name, final.digest?.name];
  const other = dataSegments(root).find((segment) =>
    segment.type === "crypt" && segment.name !== hot?.name &&
    !known.includes(digests.get(segment.name)?.name)
  );
  if (other === undefined) return;
  const message = `Segment ${other.name} has another digest than the backup segments`;
  broken("luks2.reencryption.keys", `/segments/${other.name}`, message);
}

/** What is read where a reencryption was interrupted is what cryptsetup makes of it. */
function judgeInterrupted({ root }: Metadata, broken: TakeBroken): void {
  const reencryption = reencryptionOf(root);
  if (reencryption === undefined) return;
  const [segments, digests] = [dataSegments(root), digestsOfSegments(root)];
  const message = interruptedFault({ reencryption, segments, digests });
  if (message !== undefined) broken("luks2.reencryption.layout", "/segments", message);
}

function judgePlaces(
  { root }: Metadata,
  { payload: { bytes, detached }, pieces, broken }: {
    payload: PayloadPlace;
    pieces: readonly Piece[];
    broken: TakeBroken;
  },
): void {
  if (!detached && dataOffset(root) < BigInt(UNIT)) {
    const path = `/segments/${pieces[0]?.segment.name}`;
    broken("luks2.payload.attached", path, "The payload is in another file, which is not given");
    return;
  }
  for (const { segment: { name, offset, size, sectorSize, type }, wanted } of pieces) {
    const path = `/segments/${name}`;
    const unit = BigInt(type === "crypt" ? sectorSize : 1);
    if (wanted <= 0n || offset + wanted > BigInt(bytes)) {
      const said = size === undefined ? "" : ` and has ${size} bytes`;
      const message = `The segment starts at byte ${offset}${said}, and its file has ${bytes}`;
      broken("luks2.payload.inside-file", path, message);
    } else if (size === undefined && unit > 0n && wanted % unit !== 0n) {
      const message = `The segment has ${wanted} bytes, in sectors of ${sectorSize}`;
      broken("luks2.payload.whole-sectors", path, message);
    }
  }
}

/** Why the content cannot be decrypted with these keys, by the names of their digests. */
export function whyNoKey(
  { copy }: Metadata,
  { pieces }: Content,
  keys: ReadonlyMap<string, Uint8Array>,
): Luks2Broken | undefined {
  for (const { segment, stored } of pieces) {
    for (const { use, digest } of encryptionsOf(stored)) {
      const message = whyUnusable({ use, digest }, keys);
      if (message === undefined) continue;
      const place = placeOf(copy, `/segments/${segment.name}/encryption`);
      return { rule: "luks2.content.cipher", place, message };
    }
  }
  return undefined;
}

function whyUnusable(
  { use, digest }: Encryption,
  keys: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  const key = keys.get(digest.name);
  return key === undefined ? "There is no key of it" : whyNoCipher(use, key.length);
}
