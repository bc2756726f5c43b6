import { SECTOR } from "../../bytes/mod.ts";
import { type FormatEditor, VolumeEditor, writeSectors } from "../../format/mod.ts";
import { openVolume } from "../driver.ts";
import { contentOffset, luks1Layer } from "../layer.ts";
import { Luks1Volume } from "../volume.ts";

/** Changes the content of volumes. The header stays as it is. */
export const luks1Editor: FormatEditor = {
  open(store, findings, options) {
    const opened = openVolume(store, findings, options);
    if (opened === undefined) return undefined;
    const { header, payload, access } = opened;
    if (!(access instanceof Luks1Volume)) return undefined;
    const start = contentOffset(header);
    return new VolumeEditor({
      payload,
      layer: () => luks1Layer(opened),
      write: (offset, bytes) =>
        writeSectors(bytes, offset, {
          read: (sectors, at) => payload.readInto(start + at, sectors),
          decrypt: (sectors, at) => access.decryptSectors(sectors, BigInt(at / SECTOR)),
          encrypt: (sectors, at) => access.encryptSectors(sectors, BigInt(at / SECTOR)),
          write: (sectors, at) => payload.write(start + at, sectors),
        }),
      payloadSize: (size) => start + size,
    });
  },
};
