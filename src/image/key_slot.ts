import type { KeySlotOptions, UnlockedSlot } from "../format/mod.ts";
import type { OpenedImage } from "./opened_image.ts";

/**
 * The key slot that a passphrase opens, or the reason why there is none. The payload is not looked at.
 *
 * @param image opened without a passphrase
 * @returns `undefined` for a format without key slots
 */
export function keySlotOf(
  image: OpenedImage,
  passphrase: Uint8Array,
  options: KeySlotOptions = {},
): UnlockedSlot | undefined {
  const { source, header, definition: { keys } } = image;
  if (keys?.unlock === undefined) return undefined;
  const message = whyUnusable(image);
  return message === undefined
    ? keys.unlock(header ?? source, passphrase, options)
    : { message, isWrong: false };
}

/**
 * Why a header cannot be used; what only QEMU does not know is no reason, and neither is it that the
 * payload of a detached header is not there.
 */
function whyUnusable(
  { findings, source, header, definition: { keys, verdict } }: OpenedImage,
): string | undefined {
  const by = verdict.readsDespite === undefined ? undefined : "spec";
  const refusal = findings.refusal("info", by);
  if (refusal === undefined || typeof keys?.area?.(header ?? source) === "object") return undefined;
  return refusal.message;
}
