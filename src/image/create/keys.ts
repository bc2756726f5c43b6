import { type ByteSource, MemorySource, type Segment } from "../../bytes/mod.ts";
import { decode } from "../../layout/mod.ts";
import {
  decodeLuks1,
  header as luksHeader,
  HEADER_BYTES,
  judgeLuks1,
  keySlot,
  type Luks1Header,
  LUKS_MAGIC,
  materialSectors,
  slotStates,
} from "../../luks1/mod.ts";
import { luksAreaOf } from "../../qcow2/create/mod.ts";
import { qcow2Format } from "../../qcow2/mod.ts";
import { Findings, ruleOf } from "../../rules/mod.ts";

/** Where a LUKS header with its key material lies in a file. */
export interface KeyArea {
  /** `luks`: the file starts with it, and may be a detached header; `qcow2`: it lies inside. */
  readonly format: "luks" | "qcow2";
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

const SECTOR = 512;
const PROBE_BYTES = 512;
/** Key material lies within as many bytes; it takes 2 MiB. */
const AREA_MAX = 2 ** 26;

/**
 * Finds the key slots of a file, where they are sound enough to be written to.
 *
 * @returns the place, or why there is none, as the end of a sentence
 */
export function keyAreaOf(source: ByteSource): KeyArea | string {
  const { magic, version } = decode(luksHeader, source.read(0, PROBE_BYTES));
  if (magic.every((byte, at) => byte === LUKS_MAGIC[at])) {
    if (version !== 1) return `it is LUKS of version ${version}, and keys are those of version 1`;
    return areaOf(source, { format: "luks", offset: 0, length: source.size });
  }
  const { driver: qcow2 } = qcow2Format;
  if (!qcow2.probe(source.read(0, PROBE_BYTES))) return "it has no LUKS header";
  const findings = new Findings();
  qcow2.open(source, findings);
  const refusal = findings.refusal("info");
  if (refusal !== undefined) return `it does not open: ${refusal.message}`;
  const area = luksAreaOf(source);
  return typeof area === "string" ? area : areaOf(source, { format: "qcow2", ...area });
}

/** The area as far as key material reaches. */
function areaOf(source: ByteSource, area: KeyArea): KeyArea | string {
  const header = decodeLuks1(new MemorySource(source.read(area.offset, HEADER_BYTES)));
  const detached = header.payload_offset === 0;
  const broken: string[] = [];
  judgeLuks1(header, (rule, _, message) => {
    // What QEMU does not know, cryptsetup may; and only keys matter here.
    const about = rule.startsWith("luks.header.") || rule.startsWith("luks.slot.");
    if (about && ruleOf(rule).effect === "refused-at-open") broken.push(message());
  }, {
    kind: area.format === "qcow2" ? "inside" : detached ? "detached" : "alone",
    headerBytes: area.length,
  });
  if (broken[0] !== undefined) return `its header is not sound: ${broken[0]}`;
  const last = Math.max(...header.slots.map((slot) => slot.key_material_offset));
  const end = (last + materialSectors(header.key_bytes)) * SECTOR;
  if (end > AREA_MAX) {
    return `its key material ends at byte ${end}, further than any writer puts it`;
  }
  return { ...area, length: Math.min(area.length, end) };
}

/** Header and key material. */
export function readKeyArea(source: ByteSource, { offset, length }: KeyArea): Uint8Array {
  return source.read(offset, length).slice();
}

/**
 * What has to be written to get from one header with its key material to the next ones, in steps of
 * which each has to have reached the disk before the next. From one to the next these are new key
 * material, then the slots that use it, then the slots that are switched off, and at last what these
 * held.
 *
 * @param area whose place in the file the offsets count from
 * @param options.states what follows `before`, of which the last stays
 */
export function keySteps(
  area: KeyArea,
  { before, states }: { readonly before: Uint8Array; readonly states: readonly Uint8Array[] },
): Segment[][] {
  return states.flatMap((after, index) =>
    stepsBetween(area, { before: states[index - 1] ?? before, after })
  );
}

function stepsBetween(
  area: KeyArea,
  { before, after }: { readonly before: Uint8Array; readonly after: Uint8Array },
): Segment[][] {
  const header = decodeLuks1(new MemorySource(after));
  const changed = (part: Segment): boolean =>
    part.bytes.some((byte, at) => byte !== before[part.offset + at]);
  const slots = header.slots.map((slot, index) => ({
    enabled: slot.active === slotStates.enabled,
    record: partOf(after, luksHeader.size + index * keySlot.size, keySlot.size),
    material: materialOf(after, header, index),
  }));
  const on = slots.filter(({ enabled }) => enabled);
  const off = slots.filter(({ enabled }) => !enabled);
  return [
    on.map(({ material }) => material),
    on.map(({ record }) => record),
    off.map(({ record }) => record),
    off.map(({ material }) => material),
  ].map((step) => step.filter(changed)).filter((step) => step.length > 0)
    .map((step) => step.map(({ offset, bytes }) => ({ offset: area.offset + offset, bytes })));
}

function partOf(bytes: Uint8Array, offset: number, length: number): Segment {
  return { offset, bytes: bytes.subarray(offset, offset + length) };
}

function materialOf(bytes: Uint8Array, { slots, key_bytes }: Luks1Header, index: number): Segment {
  const offset = (slots[index]?.key_material_offset ?? 0) * SECTOR;
  return partOf(bytes, offset, materialSectors(key_bytes) * SECTOR);
}
