import type { ByteSource } from "../bytes/mod.ts";
import type { DriverOptions, FormatDriver } from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import type { Findings } from "../rules/mod.ts";
import { luksAnatomy } from "./anatomy.ts";
import { decodeLuks, type LuksHeader, specOf } from "./decode.ts";
import { roundUp, SECTOR } from "./geometry.ts";
import { judgeLuks } from "./judge.ts";
import { LuksLayer } from "./layer.ts";
import { type AddFinding, inHeader, type LuksBroken } from "./report.ts";
import { header as headerStruct, LUKS_MAGIC } from "./structures.ts";
import { unlock } from "./unlock.ts";
import { LuksVolume, whyUnusable } from "./volume.ts";

/**
 * LUKS version 1.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { Findings } from "../rules/mod.ts";
 * import { luksDriver } from "./mod.ts";
 *
 * const findings = new Findings();
 * luksDriver.open(new MemorySource(new Uint8Array(592)), findings); // undefined
 * findings.rules(); // ["luks.open.key-present", "luks.header.magic"]
 * ```
 */
export const luksDriver: FormatDriver = Object.freeze({
  name: "luks",
  probe,
  open,
  anatomy: luksAnatomy,
});

/** QEMU's qcrypto_block_luks_has_format. */
function probe(head: Uint8Array): boolean {
  const { magic, version } = decode(headerStruct, head);
  return isLuks(magic) && version === 1;
}

function isLuks(magic: Uint8Array): boolean {
  return magic.every((byte, at) => byte === LUKS_MAGIC[at]);
}

/**
 * Opens a volume. There is a layer also where QEMU refuses the volume, as long as there is something
 * to tell of: cryptsetup has ciphers and modes that QEMU does not know.
 *
 * @param source header and key material, and the payload unless `options` names another source of it
 */
function open(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): LuksLayer | undefined {
  const { payload = source, iterationsMax } = options;
  const header = decodeLuks(source);
  const add: AddFinding = (rule, place, message) => findings.add(rule, place, message);
  if (options.passphrases === undefined) add(noKey.rule, noKey.place, () => noKey.message);
  judgeLuks(header, add, {
    kind: options.payload === undefined ? "alone" : "detached",
    headerBytes: source.size,
    payloadBytes: payload.size,
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
  });
  const inside = header.payload_offset * SECTOR <= roundUp(payload.size, SECTOR);
  if (!isLuks(header.magic) || header.version !== 1 || !inside) return undefined;
  const access = accessTo(header, source, options);
  if (!(access instanceof LuksVolume) && findings.count(access.rule) === 0) {
    add(access.rule, access.place, () => access.message);
  }
  return new LuksLayer({ header, payload, access });
}

/** The content for the first passphrase that opens a slot, or why there is none. */
function accessTo(
  header: LuksHeader,
  keyMaterial: ByteSource,
  { passphrases, iterationsMax }: DriverOptions,
): LuksVolume | LuksBroken {
  const spec = specOf(header);
  if (passphrases === undefined) return noKey;
  const reason = whyUnusable(spec);
  if (reason !== undefined) {
    const place = inHeader("cipher_mode");
    return { rule: "luks.key.cipher-supported", place, message: reason };
  }
  const budget = iterationsMax === undefined ? {} : { iterationsMax };
  let locked: LuksBroken = noKey;
  for (const passphrase of passphrases) {
    const key = unlock(header, { keyMaterial, passphrase, ...budget });
    if ("masterKey" in key) return new LuksVolume(spec, key.masterKey);
    locked = key;
  }
  return locked;
}

const noKey: LuksBroken = Object.freeze({
  rule: "luks.open.key-present",
  place: inHeader("magic"),
  message: "The volume is encrypted, and no passphrase is given",
});
