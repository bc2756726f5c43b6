import { type ByteSource, PatchedSource, SECTOR, utf8 } from "../../../src/bytes/mod.ts";
import {
  chooseCopy,
  decodeLuks2,
  header as headerStruct,
  type Luks2Broken,
  luks2Format,
  type Luks2Model,
  unlock,
} from "../../../src/luks2/mod.ts";
import { openBytes } from "../../../src/image/mod.ts";
import { Failure } from "../../engine/mod.ts";
import { strangePassphrase } from "../../generate/mod.ts";
import { keptKeys } from "../kept_keys.ts";
import { assertNamedSlots } from "../luks.ts";
import { assertStripes } from "../stripes.ts";
import { assertFarReencryption } from "./far.ts";
import { luks2Slot } from "./volumes.ts";

/** Limit of the work of a passphrase attempt: slightly more than a generated volume needs. */
export const WORK_MAX = 12_000;

/** The slot that a passphrase opens according to the reference, of all slots or of one. */
export function openedSlot(
  keyMaterial: ByteSource,
  passphrase: string,
  slot?: number,
): { readonly slot: number } | Pick<Luks2Broken, "rule" | "message"> {
  const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
  if (metadata === undefined) {
    return { rule: "luks2.header.readable", message: "No copy of the header is valid" };
  }
  return unlock(metadata, {
    keyMaterial,
    passphrase: utf8(passphrase),
    iterationsMax: WORK_MAX,
    keptKeys,
    ...(slot === undefined ? {} : { slot }),
  });
}

/**
 * Checks that each passphrase opens the slot of the model, and each slot only its own passphrase.
 *
 * @throws {Failure} if a slot opens that must not, or a slot that must open does not
 */
export function assertModelKeys(header: ByteSource, model: Luks2Model): void {
  assertStripes();
  assertFarReencryption();
  assertDetectedBySecondary(header, model);
  assertWholeSectors(header, model);
  const assertSlot = (passphrase: string, expected: number | undefined): void => {
    const opened = openedSlot(header, passphrase);
    const found = "slot" in opened ? opened.slot : undefined;
    if (found === expected) return;
    const message = `${JSON.stringify(passphrase)} opens slot ${found ?? "none"}, not ${
      expected ?? "none"
    }`;
    throw new Failure("rule" in opened ? `luks2.slot.${opened.rule}` : "luks2.slot", message);
  };
  for (const { passphrase } of model.keys) assertSlot(passphrase, luks2Slot(model, passphrase));
  assertNamedSlots(luks2Format, header, model.keys);
  assertSlot(strangePassphrase(model.keys.map(({ passphrase }) => passphrase)), undefined);
}

const VERSION_AT = headerStruct.offsets.version;

/** A volume whose primary copy is damaged up to its version is detected by the secondary copy. */
function assertDetectedBySecondary(source: ByteSource, { secondary }: Luks2Model): void {
  if (secondary === "garbled" || secondary === "missing") return;
  const damaged = new PatchedSource(source, [{ offset: VERSION_AT, bytes: new Uint8Array(2) }]);
  if (luks2Format.driver.detect?.(damaged) === true) return;
  throw new Failure(
    "luks2.detected",
    "The volume is not detected with version 0 in its first copy",
    {
      about: { path: "/primary/version" },
    },
  );
}

/** A segment that reaches to the end of its file has the whole sectors of it. */
function assertWholeSectors(source: ByteSource, model: Luks2Model): void {
  const { detached, fixed, sectorSize, size } = model;
  if (detached || fixed || sectorSize === SECTOR) return;
  const longer = new PatchedSource(source, [], source.size + SECTOR);
  const { layer } = openBytes(longer, "luks2");
  if (layer?.virtualSize === size) return;
  const message = `With a sector of 512 bytes more it has ${layer?.virtualSize} bytes, not ${size}`;
  throw new Failure("luks2.sectors", message, {
    about: { path: "/primary/json/segments/0/sector_size" },
  });
}
