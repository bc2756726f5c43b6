import type { ByteSource } from "../bytes/mod.ts";
import type { DriverOptions, FormatDriver, VolumeLayer } from "../format/mod.ts";
import type { Findings } from "../rules/mod.ts";
import { luks2Anatomy } from "./anatomy/anatomy.ts";
import type { Metadata } from "./metadata.ts";
import { chooseCopy } from "./copies.ts";
import { decodeLuks2, detectLuks2 } from "./decode.ts";
import type { AddFinding, Luks2Broken } from "./findings.ts";
import { whyNoKey } from "./judge/content.ts";
import { damagedSlots } from "./judge/material.ts";
import { judgeLuks2 } from "./judge/volume.ts";
import { WORK_BUDGET } from "./keyslots/budget.ts";
import { unlock } from "./keyslots/unlock.ts";
import { scanLuks2 } from "./scan/scan.ts";
import { luks2Layer, type OpenedLuks2 } from "./layer.ts";
import { type Content, contentOf, extentsOf, type PayloadPlace } from "./segments/extents.ts";
import { ContentReader } from "./segments/reader.ts";

/**
 * LUKS version 2.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { Findings } from "../rules/mod.ts";
 * import { luks2Driver } from "./mod.ts";
 *
 * const findings = new Findings();
 * luks2Driver.open(new MemorySource(new Uint8Array(4096)), findings); // undefined
 * findings.rules(); // ["luks2.header.magic", "luks2.header.readable", "luks2.open.key-present"]
 * ```
 */
export const luks2Driver: FormatDriver = Object.freeze({
  probe,
  detect: detectLuks2,
  detaches: true,
  open,
  scan: scanLuks2,
  anatomy: luks2Anatomy,
});

/** QEMU treats version 2 as raw. */
function probe(): boolean {
  return false;
}

/**
 * Opens a volume. Returns a layer if at least one copy of the header is valid.
 *
 * @param source header and key slots, and the payload unless `options` names another source of it
 */
function open(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): VolumeLayer | undefined {
  const opened = openVolume(source, findings, options);
  return opened && luks2Layer(opened);
}

/** Metadata and content of a volume, if at least one copy of the header is valid. */
export function openVolume(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): OpenedLuks2 | undefined {
  const { payload = source, iterationsMax, passphrases } = options;
  const add: AddFinding = (rule, place, message) => findings.add(rule, place, message);
  if (passphrases === undefined) findings.addLast(noKey.rule, noKey.place, noKey.message);
  const chosen = chooseCopy(decodeLuks2(source));
  const place = payloadPlace(source, options);
  const { metadata } = chosen;
  const extents = metadata === undefined ? [] : extentsOf(metadata, place);
  const unreadable = judgeLuks2(chosen, add, {
    header: source,
    payload: place,
    extents,
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
  });
  if (metadata === undefined) return undefined;
  const content = contentOf(extents);
  const access = unreadable ?? accessTo(metadata, content, { source, payload, options });
  if (!("read" in access) && findings.count(access.rule) === 0) {
    add(access.rule, access.place, () => access.message);
  }
  if (!("read" in access)) {
    for (const { rule, place, message } of damagedSlots(metadata, source)) {
      add(rule, place, () => message);
    }
  }
  return { chosen: { ...chosen, metadata }, content, access };
}

/** Where the payload of a volume is, and how much there is of it now. */
export function payloadPlace(
  source: ByteSource,
  { payload }: Pick<DriverOptions, "payload">,
): PayloadPlace {
  return {
    bytes: (payload ?? source).size,
    detached: payload !== undefined,
    headerBytes: source.size,
  };
}

/** The reader for the first passphrase that opens the slots, or the reason why there is none. */
function accessTo(
  metadata: Metadata,
  content: Content,
  { source: header, payload, options }: {
    source: ByteSource;
    payload: ByteSource;
    options: DriverOptions;
  },
): ContentReader | Luks2Broken {
  const { passphrases = [], iterationsMax = WORK_BUDGET, keptKeys } = options;
  const { budget = { left: iterationsMax } } = options;
  let locked: Luks2Broken = noKey;
  for (const passphrase of passphrases) {
    const work = { iterationsMax, budget, keptKeys };
    const found = unlock(metadata, { keyMaterial: header, passphrase, ...work });
    if ("keys" in found) {
      const { keys } = found;
      return whyNoKey(metadata, content, keys) ??
        new ContentReader(content, { keys, payload, header });
    }
    locked = found;
  }
  return locked;
}

const noKey: Luks2Broken = Object.freeze({
  rule: "luks2.open.key-present",
  place: { path: "/keyslots" },
  message: "The volume is encrypted, and no passphrase is given",
});
