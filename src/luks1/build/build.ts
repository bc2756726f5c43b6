import type { Segment } from "../../bytes/mod.ts";
import { type BuiltFiles, patternBytes, type Placed } from "../../format/mod.ts";
import { createLuks1 } from "../create/create.ts";
import { materialOffset, materialSectors, payloadStart, SECTOR } from "../geometry.ts";
import { type RandomBytes, wipeSlot } from "../key_slot.ts";
import type { Luks1Model } from "../model.ts";
import { header, HEADER_BYTES, keySlot, SLOTS, STRIPES } from "../structures.ts";
import { Luks1Volume } from "../volume.ts";

/**
 * Builds a volume. Deterministic; the same bytes on every machine.
 *
 * @param model as `normaliseLuks1` gives it
 */
export function buildLuks1(model: Luks1Model): BuiltFiles {
  const { header: stored, masterKey } = createModel(model);
  const payload = encryptedPayload(model, masterKey);
  const start = model.detached ? 0 : payloadSector(model) * SECTOR;
  const placedPayload: Placed = {
    path: "/payload",
    offset: start,
    length: payload.length,
    role: "data",
  };
  if (!model.detached) {
    return {
      image: {
        segments: [...storedSegments(model, stored), ...segmentOf(start, payload)],
        size: start + payload.length,
        placed: [...placedHeader(model), placedPayload],
      },
    };
  }
  const size = model.cutHeader ? usedBytes(model) : stored.length;
  return {
    image: {
      segments: storedSegments(model, stored.subarray(0, size)),
      size,
      placed: placedHeader(model).filter(({ offset }) => offset < size),
    },
    payload: {
      segments: segmentOf(0, payload),
      size: payload.length,
      placed: [placedPayload],
    },
  };
}

/**
 * What a guest sees of a volume: the first `size` bytes of its disk. Told from the model and nothing
 * else; what follows from `tail` is the business of the cipher.
 */
export function contentOf(model: Luks1Model): Uint8Array {
  return patternBytes(model.pattern, model.size);
}

/**
 * What is not zeros of header and key material: that of slots which have a key, or had one. Copies, so
 * that the rest, which is most of it, is not kept with them.
 */
function storedSegments({ spec, keys, erased }: Luks1Model, stored: Uint8Array): Segment[] {
  const materials = [...keys.map(({ slot }) => slot), ...erased].map((slot) => ({
    offset: materialOffset(spec.keyBytes, slot) * SECTOR,
    length: materialSectors(spec.keyBytes) * SECTOR,
  }));
  return [{ offset: 0, length: HEADER_BYTES }, ...materials].flatMap(({ offset, length }) =>
    segmentOf(offset, stored.slice(offset, offset + length))
  );
}

/** A segment, where there are bytes for one. */
function segmentOf(offset: number, bytes: Uint8Array): Segment[] {
  return bytes.length === 0 ? [] : [{ offset, bytes }];
}

function createModel(model: Luks1Model): { header: Uint8Array; masterKey: Uint8Array } {
  const random = seededBytes(model.seed);
  const [first, ...others] = model.keys.map(({ passphrase, ...key }) => ({
    ...key,
    passphrase: new TextEncoder().encode(passphrase),
  }));
  if (first === undefined) throw new TypeError("Cannot build a volume without a key");
  const { header, masterKey } = createLuks1({
    ...model.spec,
    ...first,
    slots: others,
    digestIterations: model.digestIterations,
    payloadOffset: model.detached ? 0 : payloadSector(model),
    detached: model.detached,
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

/** Bytes that follow from a seed, other ones with each call. */
function seededBytes(seed: number): RandomBytes {
  let at = 0;
  return (length) => {
    const bytes = patternBytes({ kind: "noise", seed }, length, at);
    at += length;
    return bytes;
  };
}

function encryptedPayload(model: Luks1Model, masterKey: Uint8Array): Uint8Array {
  const payload = contentOf(model).slice();
  new Luks1Volume(model.spec, masterKey).encryptSectors(payload, 0n);
  const tail = patternBytes({ kind: "noise", seed: ~model.seed }, model.tail);
  return concat(payload, tail);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

function payloadSector({ spec, gap }: Luks1Model): number {
  return payloadStart(spec.keyBytes) + gap;
}

/** The end of the key material of the last slot in use. */
function usedBytes({ spec, keys }: Luks1Model): number {
  const last = Math.max(...keys.map(({ slot }) => slot));
  return materialOffset(spec.keyBytes, last) * SECTOR + spec.keyBytes * STRIPES;
}

function placedHeader({ spec }: Luks1Model): Placed[] {
  const slots = Array.from({ length: SLOTS }, (_, slot): Placed => ({
    path: `/key_material[${slot}]`,
    offset: materialOffset(spec.keyBytes, slot) * SECTOR,
    length: spec.keyBytes * STRIPES,
    role: "data",
  }));
  return [
    { path: "/header", offset: 0, length: header.size, struct: header, role: "header" },
    {
      path: "/key_slots",
      offset: header.size,
      length: HEADER_BYTES - header.size,
      struct: keySlot,
      count: SLOTS,
      role: "header",
    },
    ...slots,
  ];
}
