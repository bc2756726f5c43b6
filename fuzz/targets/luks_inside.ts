import type { ByteSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, remembering } from "../../src/format/mod.ts";
import type { Luks1Model } from "../../src/luks1/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import { applyEdits, type Edit, type EditDraw, resolveDraws } from "../mutate/mod.ts";

const CLUSTER_BITS = 12;
const KEPT_MAX = 2 ** 27;

/** The LUKS header in an image, the key material behind it, and what leads there. */
const ENCRYPTION = /^\/(luks\/|encryption_header)/;

/** A small qcow2 image that is encrypted with the header and the keys of a volume. */
export function insideModel(model: Luks1Model): Qcow2Model {
  const { spec, seed, uuid, digestIterations, keys, erased, gap, pattern } = model;
  const volume = { spec, seed, uuid, digestIterations, keys, erased, gap };
  return normaliseQcow2({
    format: "qcow2",
    version: 3,
    clusterBits: CLUSTER_BITS,
    size: BigInt(2 ** CLUSTER_BITS),
    refcountOrder: 4,
    extendedL2: false,
    compression: "deflate",
    headerLength: 104,
    dirty: false,
    corrupt: false,
    lazyRefcounts: false,
    unknownCompatible: 0n,
    unknownAutoclear: 0n,
    featureTable: false,
    unknownExtensions: [],
    clusters: [{ index: 0, kind: "data", pattern }],
    snapshots: [],
    bitmaps: [],
    encryption: { kind: "luks", ...volume, spare: 0 },
    placement: { seed: 0, holes: [], leaks: 0, spareL1: 0, spareReftable: 0, cutTail: false },
  });
}

/** The image, of which edits see nothing but the encryption. */
const built: (model: Luks1Model) => BuiltImage = remembering((model) => {
  const { image } = buildQcow2(insideModel(model));
  return { ...image, placed: image.placed.filter(({ path }) => ENCRYPTION.test(path)) };
}, { sizeOf: ({ size }) => size, sizeMax: KEPT_MAX });

/** The edits of the LUKS header inside qcow2 that draws come to. */
export function insideEdits(model: Luks1Model, draws: readonly EditDraw[]): Edit[] {
  return resolveDraws(built(model), draws, 2 ** CLUSTER_BITS);
}

/** The bytes of the image after edits. */
export function insideImage(model: Luks1Model, edits: readonly Edit[]): ByteSource {
  return applyEdits(built(model), edits);
}
