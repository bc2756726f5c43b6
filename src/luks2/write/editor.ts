import { EditError, type FormatEditor, VolumeEditor } from "../../format/mod.ts";
import { openVolume, payloadPlace } from "../driver.ts";
import { luks2Layer } from "../layer.ts";
import { contentOf, extentsOf } from "../segments/extents.ts";

/** Changes the content of volumes. The header stays as it is. */
export const luks2Editor: FormatEditor = {
  open(store, findings, options = {}) {
    const opened = openVolume(store, findings, options);
    if (opened === undefined || !("read" in opened.access)) return undefined;
    const { chosen, access } = opened;
    if (chosen.metadata.reencryption !== undefined) {
      throw new EditError("Cannot change the content: a reencryption has not finished");
    }
    const payload = options.payload ?? store;
    const contentNow = () => contentOf(extentsOf(chosen.metadata, payloadPlace(store, options)));
    let reader = access;
    const layer = () => {
      const content = contentNow();
      reader = access.of(content);
      return luks2Layer({ chosen, content, access: reader });
    };
    const [extent] = contentNow().extents;
    const isDynamic = extent !== undefined && extent.segment.size === undefined;
    return new VolumeEditor({
      payload,
      layer,
      write: (offset, bytes) => reader.write(offset, bytes, payload),
      ...(isDynamic
        ? { payloadSize: (size) => extent.location.offset + whole(size, access.sectorSize) }
        : {}),
    });
  },
};

/** @throws {EditError} unless a size is a number of whole sectors */
function whole(size: number, sectorSize: number): number {
  if (size % sectorSize === 0) return size;
  throw new EditError(`Cannot resize the disk: the size is not a multiple of ${sectorSize}`);
}
