import { type ByteSource, roundUp, SECTOR, startsWith } from "../bytes/mod.ts";
import type {
  BlockRule,
  Broken as AnyBroken,
  DriverOptions,
  FormatDriver,
  VolumeLayer,
} from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import type { Findings } from "../rules/mod.ts";
import { accessTo, noKey } from "./keyslots/access.ts";
import { luks1Anatomy } from "./anatomy/anatomy.ts";
import { decodeLuks1 } from "./decode.ts";
import { judgeLuks1 } from "./judge/header.ts";
import { damagedSlots } from "./judge/material.ts";
import { hintOfLuks1, scanLuks1 } from "./scan/scan.ts";
import { luks1Layer, type OpenedLuks } from "./layer.ts";
import type { AddFinding } from "./findings.ts";
import { header as headerStruct, LUKS_MAGIC } from "./structures.ts";
import { Luks1Volume } from "./volume.ts";

/**
 * LUKS version 1.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { Findings } from "../rules/mod.ts";
 * import { luks1Driver } from "./mod.ts";
 *
 * const findings = new Findings();
 * luks1Driver.open(new MemorySource(new Uint8Array(592)), findings); // undefined
 * findings.rules(); // ["luks.header.magic", "luks.open.key-present"]
 * ```
 */
export const luks1Driver: FormatDriver = Object.freeze({
  probe,
  nearMiss,
  detaches: true,
  open,
  scan: scanLuks1,
  hint: hintOfLuks1,
  anatomy: luks1Anatomy,
});

/** QEMU's qcrypto_block_luks_has_format. */
function probe(head: Uint8Array): boolean {
  const { magic, version } = decode(headerStruct, head);
  return isLuks(magic) && version === 1;
}

function nearMiss(head: Uint8Array): AnyBroken<BlockRule> | undefined {
  const { magic, version } = decode(headerStruct, head);
  if (!isLuks(magic) || version === 1) return undefined;
  const message = `The file has the LUKS magic and version ${version}: it is raw`;
  return { rule: "blk.probe.luks-version", place: { path: "/", offset: 0 }, message };
}

function isLuks(magic: Uint8Array): boolean {
  return startsWith(magic, LUKS_MAGIC);
}

/**
 * Opens a volume. Returns a layer for some volumes that QEMU rejects too, because cryptsetup supports
 * more ciphers and modes than QEMU.
 *
 * @param source header and key material, and the payload unless `options` names another source of it
 */
function open(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): VolumeLayer | undefined {
  const opened = openVolume(source, findings, options);
  return opened && luks1Layer(opened);
}

/** Header, payload and content of a volume, if it is one. */
export function openVolume<S extends ByteSource>(
  source: S,
  findings: Findings,
  options: DriverOptions & { readonly payload?: S } = {},
): OpenedLuks<S> | undefined {
  const { payload = source, iterationsMax } = options;
  const header = decodeLuks1(source);
  const add: AddFinding = (rule, place, message) => findings.add(rule, place, message);
  if (!options.passphrases?.length) findings.addLast(noKey.rule, noKey.place, noKey.message);
  judgeLuks1(header, add, {
    kind: options.payload === undefined ? "alone" : "detached",
    headerBytes: source.size,
    payloadBytes: payload.size,
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
  });
  const inside = header.payload_offset * SECTOR <= roundUp(payload.size, SECTOR);
  const detached = options.payload !== undefined;
  if (!isLuks(header.magic) || header.version !== 1 || detached && !inside) return undefined;
  const { passphrases, budget, keptKeys } = options;
  // Do not attempt what the format forbids. What only QEMU does not support may still be readable.
  const refused = findings.refusal("info", "spec");
  const access = refused === undefined
    ? accessTo(header, { keyMaterial: source, passphrases, iterationsMax, budget, keptKeys })
    : { rule: refused.rule, place: { path: refused.path }, message: refused.message };
  if (!(access instanceof Luks1Volume) && findings.count(access.rule) === 0) {
    findings.add(access.rule, access.place, access.message);
  }
  if (refused === undefined && !(access instanceof Luks1Volume)) {
    for (const { rule, place, message } of damagedSlots(header, { keyMaterial: source })) {
      findings.add(rule, place, message);
    }
  }
  return { header, payload, access };
}
