import { compressAhead, type Compressed } from "../../codec/mod.ts";
import { CONTENT_RUN, type ContentBlock, type CreatedParts } from "../../format/mod.ts";
import { type CreatedLuks1, createLuks1 } from "../../luks1/mod.ts";
import { type Encrypt, legacyEncryption, luksEncryption } from "../encode/encrypt.ts";
import { type Geometry, l1Needed } from "../geometry.ts";
import { l1Entry } from "../structures.ts";
import { GuestWriter, isPreallocated } from "./guest.ts";
import { headerBytes } from "./header.ts";
import { HostClusters } from "./host_clusters.ts";
import { checkCreation, type Qcow2Creation, type Qcow2Encryption } from "./options.ts";
import { planRefcounts, refcountParts } from "./refcounts.ts";

/**
 * Creates an image. The bytes are generated in parts, so that little memory is needed for an image of
 * any size. Ranges without a part are zeros.
 *
 * @throws {RangeError} if the options conflict or are out of range or, while parts are generated, if
 * there are too many clusters for a refcount table
 * @throws {Luks1Error} if the encryption options are invalid
 *
 * @example
 * ```ts
 * import { createQcow2 } from "./mod.ts";
 *
 * const parts = createQcow2({ size: 2 ** 30, version: 3, clusterSize: 65536, refcountBits: 16 });
 * [...parts].map(({ offset }) => offset); // refcount table, refcount block, header
 * ```
 */
export function createQcow2(creation: Qcow2Creation): CreatedParts {
  const geometry = checkCreation(creation);
  const { encryption } = creation;
  // Check first whether everything fits into the header.
  const luks = encryption?.kind === "luks" ? { offset: 0, length: 0 } : undefined;
  const nowhere = { offset: 0, entries: 0, clusters: 0 };
  headerBytes(creation, { l1: nowhere, reftable: nowhere, luks });
  const volume = encryption?.kind === "luks" ? createLuks1(encryption.options) : undefined;
  return parts(creation, { geometry, volume });
}

/** Number of zero bytes that are skipped at a time; a multiple of every cluster size. */
const ZEROS_MAX = 2 ** 21;

interface Plan {
  readonly geometry: Geometry;
  readonly volume: CreatedLuks1 | undefined;
}

function* parts(
  creation: Qcow2Creation,
  { geometry, volume }: Plan,
): CreatedParts {
  const { clusterSize } = geometry;
  const hosts = new HostClusters(clusterSize, geometry.refcountMax);
  const luks = volume && { offset: hosts.take(volume.header.length), length: volume.header.length };
  if (luks !== undefined && volume !== undefined) {
    yield { file: "image", offset: luks.offset, bytes: volume.header };
  }
  const entries = Number(l1Needed(BigInt(creation.size), geometry));
  const l1 = { entries, offset: entries === 0 ? 0 : hosts.take(entries * l1Entry.size) };
  const encrypt = encryptionOf(creation.encryption, volume);
  const guest = new GuestWriter(creation, { geometry, hosts, l1: l1.offset, encrypt });
  for (const block of blocksOf(creation)) {
    if (block.bytes === undefined && block.offset % ZEROS_MAX === 0) {
      yield { file: "image", offset: 0, bytes: new Uint8Array(0) };
    }
    yield* guest.cluster(block);
  }
  yield* guest.rest();
  const plan = planRefcounts(hosts, geometry);
  for (const part of refcountParts(plan, hosts, geometry)) yield { file: "image", ...part };
  const reftable = { offset: plan.tableOffset, clusters: plan.tableClusters };
  // The header is written last, so that an interrupted write leaves no valid image.
  const header = headerBytes(creation, { l1, reftable, luks });
  yield { file: "image", offset: 0, bytes: header };
  const image = plan.clusters * clusterSize;
  return creation.dataFile === undefined ? { image } : { image, data: creation.size };
}

/** The blocks that need clusters or must be compared with a backing file. */
function* blocksOf(creation: Qcow2Creation): Iterable<Compressed<ContentBlock>> {
  const { size, clusterSize, content, compressed, compression = "deflate" } = creation;
  if (content !== undefined) {
    if (compressed !== true) return yield* content(clusterSize, CONTENT_RUN);
    return yield* compressAhead(content(clusterSize), { method: compression, unit: clusterSize });
  }
  if (!isPreallocated(creation)) return;
  for (let offset = 0; offset < size; offset += clusterSize) yield { offset, bytes: undefined };
}

function encryptionOf(
  encryption: Qcow2Encryption | undefined,
  volume: CreatedLuks1 | undefined,
): Encrypt | undefined {
  if (encryption?.kind === "luks" && volume !== undefined) {
    return luksEncryption(encryption.options, volume.masterKey);
  }
  return encryption?.kind === "aes" ? legacyEncryption(encryption.passphrase) : undefined;
}
