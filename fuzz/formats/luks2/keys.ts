import { type ByteSource, utf8 } from "../../../src/bytes/mod.ts";
import {
  chooseCopy,
  decodeLuks2,
  type Luks2Broken,
  type Luks2Model,
  unlock,
} from "../../../src/luks2/mod.ts";
import { Failure } from "../../engine/mod.ts";
import { strangePassphrase } from "../../generate/mod.ts";
import { keptKeys } from "../kept_keys.ts";
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
  const assertSlot = (passphrase: string, expected: number | undefined, slot?: number): void => {
    const opened = openedSlot(header, passphrase, slot);
    const found = "slot" in opened ? opened.slot : undefined;
    if (found === expected) return;
    const message = `${JSON.stringify(passphrase)} opens slot ${found ?? "none"}, not ${
      expected ?? "none"
    }`;
    throw new Failure("rule" in opened ? `luks2.slot.${opened.rule}` : "luks2.slot", message);
  };
  for (const { slot, passphrase } of model.keys) {
    assertSlot(passphrase, luks2Slot(model, passphrase));
    assertSlot(passphrase, slot, slot);
  }
  assertSlot(strangePassphrase(model.keys.map(({ passphrase }) => passphrase)), undefined);
}
