import { type BuiltImage, remembering } from "../../../src/format/mod.ts";
import type { Luks1Model } from "../../../src/luks1/mod.ts";
import { buildQcow2, normaliseQcow2, plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import { qcow2Format, type Qcow2Model } from "../../../src/qcow2/mod.ts";
import { guestDisk } from "../../generate/mod.ts";
import type { Kit } from "../kit.ts";
import { qcowKit } from "../qcow.ts";
import { isEncryption } from "../qcow2/encryption.ts";
import { describeLuks1 } from "./describe.ts";

const CLUSTER_BITS = 12;
const KEPT_MAX = 2 ** 27;

/** A small qcow2 image that is encrypted with the header and the keys of a volume. */
function insideModel(model: Luks1Model): Qcow2Model {
  const { spec, seed, uuid, digestIterations, keys, erased, gap, pattern } = model;
  const volume = { spec, seed, uuid, digestIterations, keys, erased, gap };
  return normaliseQcow2({
    ...plainQcow2,
    clusterBits: CLUSTER_BITS,
    size: BigInt(2 ** CLUSTER_BITS),
    headerLength: 104,
    clusters: [{ index: 0, kind: "data", pattern }],
    encryption: { kind: "luks", ...volume, spare: 0 },
  });
}

/** The image; edits change only the encryption. */
const built: (model: Luks1Model) => BuiltImage = remembering((model) => {
  const { image } = buildQcow2(insideModel(model));
  return { ...image, placed: image.placed.filter(isEncryption) };
}, { sizeOf: ({ size }) => size, sizeMax: KEPT_MAX });

/** The kit of a LUKS header inside a qcow2 image. */
export const luks1Inside: Omit<Kit<Luks1Model>, "models" | "keys"> = {
  ...qcowKit,
  format: qcow2Format,
  describe: describeLuks1,
  build: (model) => ({ image: built(model), name: "image.qcow2", unit: 2 ** CLUSTER_BITS }),
  expected: { disk: (model) => guestDisk(qcow2Format.writer.content(insideModel(model))) },
};
