import { SECTOR, splitAt, utf8 } from "../../bytes/mod.ts";
import type { Json } from "../../format/mod.ts";
import type { VolumeReport } from "../peer.ts";

/**
 * Reads what `cryptsetup luksDump` prints of a header: version 1 in qemu-img's terms and units, version 2
 * in those of diskproof's `info`.
 *
 * @returns nothing for other text
 */
export function readLuksDump(text: string): VolumeReport | undefined {
  // A header may have any text, also none.
  const field = (name: string) => new RegExp(`^${name}: *\\t(.*)`, "m").exec(text)?.[1];
  return field("Version") === "2" ? readVersion2(text, field) : readVersion1(text, field);
}

type Field = (name: string) => string | undefined;

function readVersion1(text: string, field: Field): VolumeReport | undefined {
  const cipher = field("Cipher name");
  const modeText = field("Cipher mode");
  const hash = field("Hash spec");
  if (field("Version") !== "1" || cipher === undefined || modeText === undefined) return undefined;
  const [mode, iv] = splitAt(modeText, "-");
  const [ivGenerator, ivHash] = iv === undefined ? [] : splitAt(iv, ":");
  const bytes = Number(field("MK bits")) / 8;
  // QEMU names the cipher by the key of one of the two ciphers that XTS is made of.
  const bits = 8 * (mode === "xts" ? Math.floor(bytes / 2) : bytes);
  return {
    cipher,
    // QEMU's name for SM4 has no length in it.
    "cipher-alg": cipher === "sm4" ? cipher : `${cipher}-${bits}`,
    "cipher-mode": mode,
    ...(ivGenerator === undefined ? {} : { "ivgen-alg": ivGenerator }),
    ...(ivHash === undefined ? {} : { "ivgen-hash-alg": ivHash }),
    ...(hash === undefined ? {} : { "hash-alg": hash }),
    "payload-offset": Number(field("Payload offset")) * SECTOR,
    "master-key-iters": Number(field("MK iterations")),
    uuid: field("UUID") ?? "",
    slots: readSlots(text),
  };
}

/** Bytes of a label or a subsystem that are printed: cryptsetup ends its field with a NUL. */
const TEXT_MAX = 47;

/** The binary header and the key slots. A text that may have been cut is left out. */
function readVersion2(text: string, field: Field): VolumeReport | undefined {
  const [epoch, uuid] = [field("Epoch"), field("UUID")];
  if (epoch === undefined || uuid === undefined) return undefined;
  const texts = [
    ["label", orNone(field("Label"), "(no label)")],
    ["subsystem", orNone(field("Subsystem"), "(no subsystem)")],
  ].filter(([, text = ""]) => utf8(text).length < TEXT_MAX);
  const [, keyslots = ""] = /^Keyslots:\n((?:[ \t].*\n)*)/m.exec(text) ?? [];
  return {
    version: 2,
    seqid: Number.isSafeInteger(Number(epoch)) ? Number(epoch) : epoch,
    uuid,
    ...Object.fromEntries(texts),
    keyslots: [...keyslots.matchAll(/^ {2}(\d+): (\S+)/gm)].map(([, id = "", type = ""]) => {
      return { id, type };
    }),
  };
}

function orNone(text: string | undefined, none: string): string {
  return text === undefined || text === none ? "" : text;
}

function readSlots(text: string): Json {
  const [, ...parts] = text.split(/^Key Slot \d+: /m);
  return parts.map((part) => {
    if (!part.startsWith("ENABLED")) return { active: false };
    const number = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+)`).exec(part)?.[1]);
    return {
      active: true,
      "key-offset": number("Key material offset") * SECTOR,
      iters: number("Iterations"),
      stripes: number("AF stripes"),
    };
  });
}

/** The slot that `open --test-passphrase --verbose` names. */
export function readUnlockedSlot(text: string): number | undefined {
  const slot = /^Key slot (\d+) unlocked/m.exec(text)?.[1];
  return slot === undefined ? undefined : Number(slot);
}
