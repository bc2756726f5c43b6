import { utf8 } from "../../bytes/mod.ts";
import { extensionsOf } from "../encode/extensions.ts";
import {
  encodeFirstCluster,
  type FirstClusterFacts,
  type HeaderPlaces,
} from "../encode/first_cluster.ts";
import { header, headerV2, limits } from "../structures.ts";
import type { Qcow2Creation } from "./options.ts";

/** QEMU leaves the feature name table out where clusters are no longer. */
const NO_NAMES_CLUSTER_MAX = 4096;

/**
 * The first cluster as far as it is used: header, extensions in QEMU's order, backing file name.
 *
 * @throws {RangeError} when a cluster cannot hold it
 */
export function headerBytes(creation: Qcow2Creation, places: HeaderPlaces): Uint8Array {
  const { format = "" } = creation.backing ?? {};
  if (utf8(format).length > limits.backingFormat) {
    throw new RangeError(
      `Cannot create an image: the name of a format is not as long as ${format}`,
    );
  }
  const facts = factsOf(creation);
  const { bytes } = encodeFirstCluster(facts, places, extensionsOf(facts, places));
  if (bytes.length > creation.clusterSize) {
    throw new RangeError(
      `Cannot create an image: its header with all names has ${bytes.length} bytes, more than a ` +
        `cluster of ${creation.clusterSize}`,
    );
  }
  return bytes;
}

function factsOf(creation: Qcow2Creation): FirstClusterFacts {
  const { version, clusterSize, backing, dataFile, encryption } = creation;
  return {
    version,
    clusterBits: Math.log2(clusterSize),
    size: BigInt(creation.size),
    refcountOrder: Math.log2(creation.refcountBits),
    extendedL2: creation.extendedL2 === true,
    compression: creation.compression ?? "deflate",
    headerLength: version === 2 ? headerV2.size : header.size,
    lazyRefcounts: creation.lazyRefcounts === true,
    featureTable: version > 2 && clusterSize > NO_NAMES_CLUSTER_MAX,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(encryption === undefined ? {} : { encryption }),
  };
}
