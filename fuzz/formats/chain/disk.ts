import type { View } from "../../../src/format/mod.ts";
import { formatOf } from "../../../src/formats.ts";
import { type ExpectedDisk, guestDisk, NO_DISK } from "../../generate/mod.ts";
import type { ChainModel } from "./models.ts";

/** What a guest should see of a chain, or of a snapshot of its top image. */
export function expectedDisk(chain: ChainModel, view: View = "active"): ExpectedDisk {
  return chain.reduceRight<ExpectedDisk>((below, image, index) => {
    const { writer } = formatOf(image.format);
    return guestDisk(writer.content(image, index === 0 ? view : "active"), below);
  }, NO_DISK);
}
