import type { Segment } from "../../bytes/mod.ts";
import type { BuiltFiles, BuiltImage, Placed } from "../../format/mod.ts";
import type { Encrypt } from "../encode/encrypt.ts";
import { extensionsOf } from "../encode/extensions.ts";
import { encodeFirstCluster, type HeaderPlaces } from "../encode/first_cluster.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import type { Qcow2Model } from "../model.ts";
import { directoryPlace, planBitmaps, writeBitmaps } from "./bitmaps.ts";
import { hostBytes } from "./clusters.ts";
import { type EncryptionPlan, planEncryption, writeEmbedded } from "./encryption.ts";
import { dataExtent, type Extent, placedOf } from "./extent.ts";
import { virtualSizeOf } from "./sizes.ts";
import { type Layout, placeExtents } from "./place.ts";
import { type HostCluster, planViews, type Views } from "./plan.ts";
import { randomFrom, shuffle } from "./random.ts";
import { refblockSegments } from "./refcounts.ts";
import { planSnapshotTable, writeSnapshotTable } from "./snapshots.ts";
import { l1Entries, l2Entries, reftableEntries, tableSegments } from "./tables.ts";

/**
 * Builds the image that a model describes. Deterministic: the same model gives the same bytes
 * everywhere, except for zstd data, which depends on the runtime's libzstd.
 *
 * The parts of the image have these names: `/header`, `/header/unknown`, `/extension[i]` with
 * `/data`, `/feature[i]`, `/bitmaps` (the data of the bitmaps extension), `/backing_name`, `/l1`,
 * `/l2[i]` (the active image's by L1 index, then those of each snapshot), `/reftable`,
 * `/refblock[i]`, `/data[guest index]`, `/compressed[guest index]`, `/snapshots` (the whole table),
 * `/snapshot[i]` with `/extra`, `/id`, `/name`, `/l1`, `/data[…]`, `/compressed[…]` and
 * `/vmstate[i]`, `/bitmap_directory`, `/bitmap[i]` with `/name`, `/table` and `/data[i]`,
 * `/leak[i]`, `/encryption_header_pointer` (the data of that extension), `/encryption_header`
 * (everything that it points at), and in it `/luks/header`, `/luks/key_slots` and
 * `/luks/key_material[slot]`.
 *
 * @example
 * ```ts
 * import { SegmentSource } from "../../bytes/mod.ts";
 * import type { Qcow2Model } from "../model.ts";
 * import { normaliseQcow2 } from "./mod.ts";
 *
 * function imageOf(model: Qcow2Model): SegmentSource {
 *   const { image } = buildQcow2(normaliseQcow2(model));
 *   return new SegmentSource(image.segments, image.size);
 * }
 * ```
 *
 * @param model as {@link normaliseQcow2} returns it
 */
export function buildQcow2(model: Qcow2Model): BuiltFiles {
  const geometry = geometryOf(model);
  const views = planViews(model, geometry);
  const snapshotTable = planSnapshotTable(model);
  const bitmaps = planBitmaps(model, geometry);
  const encryption = planEncryption(model);
  const extents = [
    ...withHeader(views.extents, encryption),
    ...(snapshotTable === undefined ? [] : [snapshotTable.extent]),
    ...(bitmaps?.extents ?? []),
    ...leaks(model, geometry),
  ];
  const layout = placeExtents(extents, model.placement, geometry);
  const first = firstCluster(model, {
    l1: { offset: views.active.l1?.offset ?? 0, entries: views.active.l1Entries },
    reftable: {
      offset: layout.reftable.offset,
      clusters: layout.reftable.length / geometry.clusterSize,
    },
    snapshots: {
      offset: snapshotTable?.extent.offset ?? 0,
      count: model.snapshots.length,
    },
    directory: directoryPlace(bitmaps),
    luks: encryption?.embedded?.extent,
  });
  const segments = [
    { offset: 0, bytes: first.bytes },
    ...viewSegments(views, geometry),
    ...refcountSegments(layout, geometry),
  ];
  const placed = [...first.placed, ...layout.extents.map(placedOf)];
  if (snapshotTable !== undefined) {
    const written = writeSnapshotTable(snapshotTable, views.snapshots, geometry);
    segments.push(written.segment);
    placed.push(...written.placed);
  }
  if (bitmaps !== undefined) {
    const written = writeBitmaps(bitmaps, model, geometry);
    segments.push(...written.segments);
    placed.push(...written.placed);
  }
  if (encryption?.embedded !== undefined) {
    const written = writeEmbedded(encryption.embedded);
    segments.push(...written.segments);
    placed.push(...written.placed);
  }
  const content: Content = { model, geometry, encrypt: encryption?.encrypt };
  const hosts = views.hosts.flatMap((host) => hostSegment(host, content) ?? []);
  if (model.dataFile === undefined) segments.push(...hosts);
  return {
    image: { segments, size: layout.size, placed },
    ...(model.dataFile === undefined
      ? {}
      : { dataFile: dataFileOf(views.hosts, { segments: hosts, model }) }),
  };
}

/** The first cluster. Its extensions are in QEMU's order, or with a seed in another one. */
function firstCluster(
  model: Qcow2Model,
  places: HeaderPlaces,
): ReturnType<typeof encodeFirstCluster> {
  const extensions = extensionsOf(model, places);
  const { seed } = model.placement;
  if (seed !== 0) shuffle(extensions, randomFrom(~seed));
  return encodeFirstCluster(model, places, extensions);
}

/** The LUKS header, after the active L1 table as in QEMU. */
function withHeader(
  extents: readonly Extent[],
  encryption: EncryptionPlan | undefined,
): readonly Extent[] {
  const extent = encryption?.embedded?.extent;
  if (extent === undefined) return extents;
  const first = extents[0]?.path === "/l1" ? 1 : 0;
  return [...extents.slice(0, first), extent, ...extents.slice(first)];
}

/** Host clusters with a refcount that nothing uses. */
function leaks({ placement }: Qcow2Model, { clusterSize }: Geometry): Extent[] {
  return Array.from(
    { length: placement.leaks },
    (_, i) => dataExtent(`/leak[${i}]`, clusterSize),
  );
}

/** The L1 and L2 tables of all views. */
function viewSegments({ active, snapshots, tables }: Views, geometry: Geometry): Segment[] {
  const activeTables = new Set(active.tables);
  return [
    ...[active, ...snapshots].flatMap((view) =>
      view.l1 === undefined ? [] : tableSegments(view.l1.offset, l1Entries(view, view === active))
    ),
    ...tables.flatMap((table) =>
      tableSegments(table.extent.offset, l2Entries(table, geometry, activeTables.has(table)))
    ),
  ];
}

function refcountSegments({ reftable, refblocks, counts }: Layout, geometry: Geometry): Segment[] {
  return [
    ...tableSegments(reftable.offset, reftableEntries(refblocks)),
    ...refblocks.flatMap(({ block, extent }) =>
      refblockSegments(counts, { block, offset: extent.offset, geometry })
    ),
  ];
}

/** The parameters of the bytes of host clusters. */
interface Content {
  readonly model: Qcow2Model;
  readonly geometry: Geometry;
  readonly encrypt: Encrypt | undefined;
}

/** The bytes of a host cluster; none if they are zeros. */
function hostSegment(
  { cluster, extent, compressed }: HostCluster,
  { model, geometry, encrypt }: Content,
): Segment | undefined {
  if (extent === undefined || cluster.kind === "zero") return undefined;
  const { offset } = extent;
  if (compressed !== undefined) return { offset, bytes: compressed };
  const encrypted = encrypt !== undefined && cluster.kind !== "zero-allocated";
  if (cluster.pattern.kind === "zero" && !encrypted) return undefined;
  const bytes = hostBytes(cluster, geometry, model.dataFile?.raw);
  if (encrypted) {
    encrypt(bytes, { guest: cluster.index * geometry.clusterSize, host: offset });
  }
  return { offset, bytes: bytes.subarray(0, extent.length) };
}

/**
 * The data file. Its length is that of the disk if it is a raw image, and otherwise ends with the
 * last stored cluster.
 */
function dataFileOf(
  hosts: readonly HostCluster[],
  { segments, model }: { segments: readonly Segment[]; model: Qcow2Model },
): BuiltImage {
  const placed: Placed[] = hosts.flatMap(({ extent }) =>
    extent === undefined ? [] : placedOf(extent)
  );
  const end = placed.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
  if (model.dataFile?.raw !== true) return { segments, size: end, placed };
  const size = virtualSizeOf(model.size);
  const cut = segments.map(({ offset, bytes }) => ({
    offset,
    bytes: offset + bytes.length > size ? bytes.subarray(0, size - offset) : bytes,
  }));
  return { segments: cut, size, placed };
}
