import {
  type ByteSource,
  PatchedSource,
  SECTOR,
  SegmentSource,
  utf8,
} from "../../../src/bytes/mod.ts";
import {
  addKey,
  contentOf,
  decodeLuks1,
  Luks1Error,
  luks1Format,
  type Luks1Model,
  Luks1Volume,
  slotStates,
  unlock,
} from "../../../src/luks1/mod.ts";
import { type CaseFile, Failure } from "../../engine/mod.ts";
import { assertSameBytes } from "../content.ts";
import { keptKeys } from "../kept_keys.ts";
import { assertNamedSlots } from "../luks.ts";
import { assertStripes } from "../stripes.ts";
import { sourceOf } from "../kit.ts";
import {
  assertChanged,
  assertKeys,
  changed,
  type KeyChange,
  type Keyed,
  keysOf,
} from "./key_changes.ts";
import { layOutLuks1 } from "./volumes.ts";
import { applyEdits } from "../../mutate/mod.ts";

const LAST_SLOT = 7;
/** Key material from here on has offsets of more than 31 bits. */
const FAR = 2 ** 31 + 4096;

/**
 * Changes the keys of a volume, one change after the other.
 *
 * @returns the files after that
 * @throws {Failure} if the result of the changes is wrong
 */
export function withChanges(model: Luks1Model, changes: readonly KeyChange[]): CaseFile[] {
  // A header without its last key materials is not changed; the rest is used like any other.
  const { image, name, others = [] } = layOutLuks1({ ...model, cutHeader: false });
  const source = applyEdits(image, []);
  const files: CaseFile[] = [{ name, source }, ...others];
  let keyed: Keyed = { header: source.read(0, source.size).slice(), keys: keysOf(model) };
  for (const change of changes) {
    const after = changed(keyed, change);
    for (const key of assertChanged(keyed, after)) assertOpens(files, model, key);
    keyed = after;
  }
  const header = new PatchedSource(source, [{ offset: 0, bytes: keyed.header }], source.size);
  return [{ name, source: header }, ...others];
}

/** A master key opens the content of the model. */
function assertOpens(files: readonly CaseFile[], model: Luks1Model, masterKey: Uint8Array): void {
  const header = sourceOf(files);
  const payload = files[1]?.source;
  const start = payload === undefined ? decodeLuks1(header).payload_offset * SECTOR : 0;
  const sectors = new Uint8Array(model.size);
  (payload ?? header).readInto(start, sectors);
  new Luks1Volume(model.spec, masterKey).decryptSectors(sectors, 0n);
  assertSameBytes("luks.change.content", sectors, contentOf(model));
}

/**
 * Compares the key slots of an unedited volume with its model.
 *
 * @throws {Failure} if a slot opens that must not, or a slot that must open does not
 */
export function assertModelKeys(source: ByteSource, model: Luks1Model): void {
  const header = source.read(0, source.size);
  assertKeys({ header, keys: keysOf(model) });
  assertStripes();
  assertNamedSlots(luks1Format, source, model.keys);
  assertDisabled(source, model);
  assertFarMaterial(source, model);
  if (!model.cutHeader || model.keys.some(({ slot }) => slot === LAST_SLOT)) return;
  const passphrase = utf8(model.keys[0]?.passphrase ?? "");
  const random = (length: number): Uint8Array => new Uint8Array(length);
  try {
    addKey(header, { passphrase, newPassphrase: passphrase, iterations: 1, random });
  } catch (error) {
    if (error instanceof Luks1Error) return;
    throw error;
  }
  throw new Failure("luks.change.cut", "A key was added to a truncated header");
}

/** A disabled slot does not open, even if its key material is still there. */
function assertDisabled(source: ByteSource, { keys }: Luks1Model): void {
  const header = decodeLuks1(source);
  const slots = header.slots.map((slot) => ({ ...slot, active: slotStates.disabled }));
  for (const { passphrase } of keys) {
    const options = { keyMaterial: source, passphrase: utf8(passphrase), keptKeys };
    const found = unlock({ ...header, slots }, options);
    if (!("masterKey" in found)) continue;
    throw new Failure("luks.slot.disabled", `Key slot ${found.slot} opens, but is disabled`, {
      about: { path: `/key_slots/${found.slot}/active` },
    });
  }
}

/** The last key opens its slot, too, if the key material is far into the volume. */
function assertFarMaterial(source: ByteSource, { keys, spec }: Luks1Model): void {
  const { slot = 0, passphrase = "" } = keys.at(-1) ?? {};
  const header = decodeLuks1(source);
  const slots = header.slots.map((state, index) =>
    index === slot ? { ...state, key_material_offset: FAR / SECTOR } : state
  );
  const { key_material_offset: at = 0, stripes = 0 } = header.slots[slot] ?? {};
  const bytes = source.read(at * SECTOR, spec.keyBytes * stripes);
  const keyMaterial = new SegmentSource([{ offset: FAR, bytes }], FAR + bytes.length);
  const options = { keyMaterial, passphrase: utf8(passphrase), slot, keptKeys };
  const found = unlock({ ...header, slots }, options);
  if ("masterKey" in found) return;
  throw new Failure("luks.slot.far", `Key slot ${slot} does not open at ${FAR}: ${found.message}`, {
    about: { path: `/key_slots/${slot}/key_material_offset` },
  });
}
