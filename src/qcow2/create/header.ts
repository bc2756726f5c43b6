import { utf8 } from "../../bytes/mod.ts";
import { extensionsOf } from "../encode/extensions.ts";
import {
  encodeFirstCluster,
  type FirstClusterFacts,
  type HeaderPlaces,
} from "../encode/first_cluster.ts";
import { header, headerV2, limits } from "../structures.ts";
import type { Qcow2Creation } from "./options.ts";

/** QEMU omits the feature name table with clusters of this size and smaller. */
const NO_NAMES_CLUSTER_MAX = 4096;

/**
 * The used part of the first cluster: header, extensions in QEMU's order, backing file name.
 *
 * @throws {RangeError} if it does not fit into a cluster
 */
export function headerBytes(creation: Qcow2Creation, places: HeaderPlaces): Uint8Array {
  const { format = "" } = creation.backing ?? {};
  if (utf8(format).length > limits.backingFormat) {
    throw new RangeError(
      `Cannot create an image: the backing format name is too long: ${format}`,
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
