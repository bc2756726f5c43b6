import { utf8 } from "../../bytes/mod.ts";
import { type OpenedImage, openImage } from "../../image/mod.ts";
import {
  accepted,
  type Outcome,
  rejected,
  type Subject,
  type UnlockReport,
  unsupported,
} from "../peer.ts";

/** The key slot that the first passphrase opens, by the reference. The payload is not looked at. */
export function unlockVolume(subject: Subject): Outcome<UnlockReport> {
  const { path, header, directory, format, passphrases: [passphrase] = [] } = subject;
  if (passphrase === undefined) return unsupported("No passphrase");
  // A detached header has a payload, whichever: here itself.
  const image = openImage(header ?? path, {
    alone: true,
    ...(header === undefined ? {} : { header }),
    ...(directory === undefined ? {} : { directory }),
    ...(format === undefined ? {} : { format }),
  });
  try {
    const message = refusal(image);
    if (message !== undefined) return rejected(message);
    return slotOf(image, utf8(passphrase));
  } finally {
    image.close();
  }
}

/** Why a header is not to be used; what QEMU alone does not know is no reason. */
function refusal({ findings, definition: { verdict } }: OpenedImage): string | undefined {
  const by = verdict.readsDespite === undefined ? undefined : "spec";
  return findings.refusal("info", by)?.message;
}

function slotOf(
  { source, format, definition: { keys } }: OpenedImage,
  passphrase: Uint8Array,
): Outcome<UnlockReport> {
  if (keys?.unlock === undefined) return unsupported(`${format} has no key slots`);
  const key = keys.unlock(source, passphrase);
  return "slot" in key ? accepted({ slot: key.slot }) : rejected(key.message);
}
