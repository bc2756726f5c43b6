import type { ByteSource } from "../bytes/mod.ts";
import type { SectorCipher } from "../crypto/mod.ts";
import type { DriverOptions, FormatDriver } from "../format/mod.ts";
import type { Findings } from "../rules/mod.ts";
import { luks2Anatomy } from "./anatomy.ts";
import { cipherOf, whyNoCipher } from "./cipher.ts";
import { contentOf } from "./content.ts";
import { decodeLuks2 } from "./decode.ts";
import { judgeLuks2 } from "./judge.ts";
import { Luks2Layer } from "./layer.ts";
import { chooseCopy, type Metadata } from "./metadata.ts";
import { type AddFinding, type Luks2Broken, placeOf } from "./report.ts";
import { defaultSegment, type Segment } from "./segments.ts";
import { unlock } from "./unlock.ts";
import { WORK_BUDGET } from "./work.ts";

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
 * findings.rules(); // ["luks2.open.key-present", "luks2.header.magic", "luks2.header.readable"]
 * ```
 */
export const luks2Driver: FormatDriver = Object.freeze({
  name: "luks2",
  probe,
  open,
  anatomy: luks2Anatomy,
});

/** QEMU takes version 2 for raw: whoever wants to know asks `detectLuks2`. */
function probe(): boolean {
  return false;
}

/**
 * Opens a volume. There is a layer as soon as one copy of the header is sound.
 *
 * @param source header and key slots, and the payload unless `options` names another source of it
 */
function open(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): Luks2Layer | undefined {
  const { payload = source, iterationsMax, passphrases } = options;
  const add: AddFinding = (rule, place, message) => findings.add(rule, place, message);
  if (passphrases === undefined) add(noKey.rule, noKey.place, () => noKey.message);
  const chosen = chooseCopy(decodeLuks2(source));
  const place = { bytes: payload.size, detached: options.payload !== undefined };
  const unreadable = judgeLuks2(chosen, add, {
    headerBytes: source.size,
    payload: place,
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
  });
  const { metadata } = chosen;
  if (metadata === undefined) return undefined;
  const access = unreadable ?? accessTo(metadata, source, options);
  if (!("decrypt" in access) && findings.count(access.rule) === 0) {
    add(access.rule, access.place, () => access.message);
  }
  const content = contentOf(metadata, place);
  return new Luks2Layer({ chosen: { ...chosen, metadata }, content, payload, access });
}

/** What decrypts the content, for the first passphrase that opens a slot, or why there is none. */
function accessTo(
  metadata: Metadata,
  keyMaterial: ByteSource,
  { passphrases, iterationsMax = WORK_BUDGET, budget = { left: iterationsMax } }: DriverOptions,
): SectorCipher | Luks2Broken {
  let locked: Luks2Broken = noKey;
  for (const passphrase of passphrases ?? []) {
    const key = unlock(metadata, { keyMaterial, passphrase, iterationsMax, budget });
    if ("volumeKey" in key) return decrypting(metadata, key.volumeKey);
    locked = key;
  }
  return locked;
}

function decrypting(metadata: Metadata, key: Uint8Array): SectorCipher | Luks2Broken {
  const segment = defaultSegment(metadata.root) as Segment;
  const message = whyNoCipher(segment, key.length);
  if (message === undefined) return cipherOf(segment, key);
  const place = placeOf(metadata.copy, `/segments/${segment.name}/encryption`);
  return { rule: "luks2.content.cipher", place, message };
}

const noKey: Luks2Broken = Object.freeze({
  rule: "luks2.open.key-present",
  place: { path: "/keyslots" },
  message: "The volume is encrypted, and no passphrase is given",
});
