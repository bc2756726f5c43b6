import { SECTOR, type Segment, utf8 } from "../../bytes/mod.ts";
import { type Placed, seededBytes } from "../../format/mod.ts";
import { createLuks1 } from "../create/create.ts";
import { materialOffset, materialSectors, payloadStart } from "../geometry.ts";
import { wipeSlot } from "../keyslots/slot.ts";
import type { Luks1Model } from "../model.ts";
import { header, HEADER_BYTES, keySlot, SLOTS, STRIPES } from "../structures.ts";

/** The parts of a model that determine header and key material. */
export type HeaderModel =
  & Pick<
    Luks1Model,
    "spec" | "seed" | "uuid" | "digestIterations" | "keys" | "erased" | "material" | "gap"
  >
  & Partial<Pick<Luks1Model, "detached">>;

/** Header and key material. */
export interface BuiltHeader {
  /** The nonzero parts, copied so that the zeros, which are most of it, are not kept in memory. */
  readonly segments: readonly Segment[];
  /** Length in bytes, including the zeros. */
  readonly length: number;
  readonly placed: readonly Placed[];
  readonly masterKey: Uint8Array;
}

/**
 * Builds the header and the key material of a volume. Deterministic; the same bytes on every machine.
 *
 * @param prefix of the paths of the structures
 */
export function buildHeader(model: HeaderModel, prefix = ""): BuiltHeader {
  const { header: bytes, masterKey } = createModel(model);
  const placed = placedHeader(model, prefix);
  return { segments: segmentsOf(model, bytes), length: bytes.length, placed, masterKey };
}

/** Start of the payload in sectors. */
export function payloadSector({ spec, gap }: HeaderModel): number {
  return payloadStart(spec.keyBytes) + gap;
}

function createModel(model: HeaderModel): { header: Uint8Array; masterKey: Uint8Array } {
  const { detached = false } = model;
  const random = seededBytes(model.seed);
  const [first, ...others] = model.keys.map(({ passphrase, ...key }) => ({
    ...key,
    passphrase: utf8(passphrase),
  }));
  if (first === undefined) throw new TypeError("Cannot build a volume without a key");
  const { header, masterKey } = createLuks1({
    ...model.spec,
    ...first,
    slots: others,
    digestIterations: model.digestIterations,
    payloadOffset: detached ? 0 : payloadSector(model),
    detached,
    uuid: model.uuid,
    random,
    material: model.material,
  });
  const left = { random: model.material === "sparse" ? zeros : random };
  const erased = model.erased.reduce((bytes, slot) => wipeSlot(bytes, slot, left), header);
  return { header: erased, masterKey };
}

function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** The header, and the key material of slots that have a key, or had one. */
function segmentsOf({ spec, keys, erased }: HeaderModel, bytes: Uint8Array): Segment[] {
  const materials = [...keys.map(({ slot }) => slot), ...erased].map((slot) => ({
    offset: materialOffset(spec.keyBytes, slot) * SECTOR,
    length: materialSectors(spec.keyBytes) * SECTOR,
  }));
  return [{ offset: 0, length: HEADER_BYTES }, ...materials].map(({ offset, length }) => ({
    offset,
    bytes: bytes.slice(offset, offset + length),
  }));
}

function placedHeader({ spec }: HeaderModel, prefix: string): Placed[] {
  const slots = Array.from({ length: SLOTS }, (_, slot): Placed => ({
    path: `${prefix}/key_material[${slot}]`,
    offset: materialOffset(spec.keyBytes, slot) * SECTOR,
    length: spec.keyBytes * STRIPES,
    role: "data",
  }));
  return [
    { path: `${prefix}/header`, offset: 0, length: header.size, struct: header, role: "header" },
    {
      path: `${prefix}/key_slots`,
      offset: header.size,
      length: HEADER_BYTES - header.size,
      struct: keySlot,
      count: SLOTS,
      role: "header",
    },
    ...slots,
  ];
}
