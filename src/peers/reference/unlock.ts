import { utf8 } from "../../bytes/mod.ts";
import { keySlotOf } from "../../image/mod.ts";
import {
  accepted,
  type Outcome,
  rejected,
  type Subject,
  type UnlockReport,
  unsupported,
} from "../peer.ts";
import { keptKeysOf, openSubject } from "./open.ts";

/** The key slot that the first passphrase opens, by the reference. The payload is not looked at. */
export function unlockVolume(subject: Subject): Outcome<UnlockReport> {
  const { passphrases = [], ...keyless } = subject;
  const [passphrase] = passphrases;
  if (passphrase === undefined) return unsupported("No passphrase");
  // A detached header has a payload, whichever: here itself.
  const image = openSubject({ ...keyless, path: subject.header ?? subject.path }, { alone: true });
  try {
    const key = keySlotOf(image, utf8(passphrase), { keptKeys: keptKeysOf(passphrases) });
    if (key === undefined) return unsupported(`${image.format} has no key slots`);
    return "slot" in key ? accepted({ slot: key.slot }) : rejected(key.message);
  } finally {
    image.close();
  }
}
