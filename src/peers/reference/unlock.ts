import type { FormatName } from "../../format/mod.ts";
import { type OpenedImage, openImage } from "../../image/mod.ts";
import { decodeLuks1, specOf, unlock, whyUnusable } from "../../luks1/mod.ts";
import { chooseCopy, decodeLuks2, unlock as unlockLuks2 } from "../../luks2/mod.ts";
import type { Outcome, Subject, UnlockReport } from "../peer.ts";

/** The key slot that the first passphrase opens, by the reference. The payload is not looked at. */
export function unlockVolume(subject: Subject): Outcome<UnlockReport> {
  const { path, header, directory, format, passphrases: [passphrase] = [] } = subject;
  if (passphrase === undefined) return { outcome: "unsupported", message: "No passphrase" };
  // A detached header has a payload, whichever: here itself.
  const image = openImage(header ?? path, {
    alone: true,
    ...(header === undefined ? {} : { header }),
    ...(directory === undefined ? {} : { directory }),
    ...(format === undefined ? {} : { format: format as FormatName }),
  });
  try {
    const message = refusal(image);
    if (message !== undefined) return rejected(message);
    return slotOf(image, new TextEncoder().encode(passphrase));
  } finally {
    image.close();
  }
}

/** Why a header is not to be used: of version 1 what QEMU alone does not know is no reason. */
function refusal({ findings, format }: OpenedImage): string | undefined {
  return findings.refusal("info", format === "luks" ? "spec" : undefined)?.message;
}

function slotOf(
  { source: keyMaterial, format }: OpenedImage,
  passphrase: Uint8Array,
): Outcome<UnlockReport> {
  const options = { keyMaterial, passphrase };
  switch (format) {
    case "luks": {
      const header = decodeLuks1(keyMaterial);
      const message = whyUnusable(specOf(header));
      return message === undefined ? told(unlock(header, options)) : rejected(message);
    }
    case "luks2": {
      const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
      if (metadata === undefined) return rejected("No copy of the header is sound");
      return told(unlockLuks2(metadata, options));
    }
    default:
      return { outcome: "unsupported", message: `There are no key slots in ${format}` };
  }
}

function told(
  key: { readonly slot: number } | { readonly message: string },
): Outcome<UnlockReport> {
  return "slot" in key ? { outcome: "accepted", value: { slot: key.slot } } : rejected(key.message);
}

function rejected(message: string): Outcome<never> {
  return { outcome: "rejected", message };
}
