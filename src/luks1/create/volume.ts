import { SECTOR } from "../../bytes/mod.ts";
import { CONTENT_RUN, type CreatedParts, type DiskContent } from "../../format/mod.ts";
import { Luks1Volume } from "../volume.ts";
import { type CreatedLuks1, createLuks1, type Luks1Options } from "./create.ts";

/** A LUKS volume with its payload. */
export interface Luks1Creation {
  /** Of the payload in bytes: whole sectors. */
  readonly size: number;
  /** If absent, the payload is a hole. */
  readonly content?: DiskContent;
  /** Options for its header. */
  readonly luks: Luks1Options;
}

const UNIT = 65536;

/**
 * Creates a volume.
 *
 * @throws {Luks1Error} if the options are invalid
 */
export function createVolume(creation: Luks1Creation): CreatedParts {
  return parts(creation, createLuks1(creation.luks));
}

/**
 * Without content, the payload is a hole, as in qemu-img and cryptsetup. The guest then reads noise,
 * which hides how much was ever written.
 */
function* parts(
  { luks, size, content }: Luks1Creation,
  { header, masterKey }: CreatedLuks1,
): CreatedParts {
  const detached = luks.detached === true;
  const start = detached ? 0 : Math.max(header.length, SECTOR * (luks.payloadOffset ?? 0));
  const volume = new Luks1Volume(luks, masterKey);
  for (const { offset, bytes = new Uint8Array(UNIT) } of content?.(UNIT, CONTENT_RUN) ?? []) {
    const sectors = bytes.subarray(0, size - offset);
    volume.encryptSectors(sectors, BigInt(offset / SECTOR));
    yield { file: "image", offset: start + offset, bytes: sectors };
  }
  yield { file: detached ? "header" : "image", offset: 0, bytes: header };
  return detached ? { image: size, header: header.length } : { image: start + size };
}
