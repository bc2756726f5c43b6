import { type ByteSource, roundUp, SECTOR } from "../bytes/mod.ts";
import { type Broken, type ContentAccess, readSectors, VolumeLayer } from "../format/mod.ts";
import type { Luks1Header } from "./decode.ts";
import { luks1Info } from "./info.ts";
import { Luks1Volume } from "./volume.ts";

/** The parts of a layer. */
export interface OpenedLuks<S extends ByteSource = ByteSource> {
  readonly header: Luks1Header;
  /** The file with the payload, which starts inside it: the file with the header, or another one. */
  readonly payload: S;
  /** The content, or the reason why it cannot be read. */
  readonly access: Luks1Volume | Broken;
}

/** A LUKS volume as a layer. */
export function luks1Layer({ header, payload, access }: OpenedLuks): VolumeLayer {
  const offset = contentOffset(header);
  return new VolumeLayer({
    format: "luks",
    // A header alone has no payload.
    virtualSize: Math.max(0, roundUp(payload.size, SECTOR) - offset),
    clusterSize: SECTOR,
    access: access instanceof Luks1Volume ? contentAt(offset, payload, access) : access,
    info: () => luks1Info(header),
  });
}

/** Start of the content in the file with the payload, in bytes. */
export function contentOffset({ payload_offset }: Luks1Header): number {
  return payload_offset * SECTOR;
}

/** Missing bytes of the last sector read as zeros and are decrypted like the rest. */
function contentAt(offset: number, payload: ByteSource, volume: Luks1Volume): ContentAccess {
  return {
    read: (from, target) =>
      readSectors(target, from, {
        read: (sectors, at) => payload.readInto(offset + at, sectors),
        decrypt: (sectors, at) => volume.decryptSectors(sectors, BigInt(at / SECTOR)),
      }),
  };
}
