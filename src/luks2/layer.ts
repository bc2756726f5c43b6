import { SECTOR } from "../bytes/mod.ts";
import { VolumeLayer } from "../format/mod.ts";
import type { ChosenCopy } from "./copies.ts";
import type { Luks2Broken } from "./findings.ts";
import { luks2Info } from "./info.ts";
import type { Metadata } from "./metadata.ts";
import type { Content } from "./segments/extents.ts";
import type { ContentReader } from "./segments/reader.ts";

/** The parts of a layer. */
export interface OpenedLuks2 {
  readonly chosen: ChosenCopy & { readonly metadata: Metadata };
  readonly content: Content;
  /** Reads and decrypts the content, or the reason why it cannot be read. */
  readonly access: ContentReader | Luks2Broken;
}

/** A LUKS2 volume as a layer. */
export function luks2Layer({ chosen, content, access }: OpenedLuks2): VolumeLayer {
  return new VolumeLayer({
    format: "luks2",
    virtualSize: content.length,
    clusterSize: "read" in access ? access.sectorSize : SECTOR,
    access,
    info: () => luks2Info(chosen),
  });
}
