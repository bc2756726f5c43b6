import { type ByteSource, SECTOR, WindowSource } from "../bytes/mod.ts";
import { legacyAes, type SectorCipher } from "../crypto/mod.ts";
import type { DriverOptions } from "../format/mod.ts";
import { decode, judgeOf } from "../layout/mod.ts";
import {
  accessTo,
  type AddFinding,
  damagedSlots,
  decodeLuks1,
  HEADER_BYTES,
  judgeLuks1,
  type Luks1Header,
  Luks1Volume,
  noKey,
} from "../luks1/mod.ts";
import type { Place } from "../rules/mod.ts";
import type { Encrypt } from "./encode/encrypt.ts";
import { type Extension, extensionData, firstExtensionOf, type Qcow2File } from "./decode.ts";
import { type Broken, type Findings, inHeader } from "./findings.ts";
import { DRAFT_LUKS_EXTENSION, encryptionPointer } from "./structures.ts";

/** Decrypts whole sectors of a cluster in place. */
export type DecryptSectors = (
  bytes: Uint8Array,
  /** Byte offset of the first sector in the guest's disk, and in the file that contains the clusters. */
  at: { readonly guest: number; readonly host: number },
) => void;

/** How the clusters of an image are encrypted. */
export interface Encryption {
  /** The LUKS header, if there is one. */
  readonly header?: Luks1Header;
  /** The content, or the reason why it cannot be read. */
  readonly access: DecryptSectors | Broken;
  /** Encrypts clusters, if the content can be read. */
  readonly encrypt?: Encrypt;
}

/** A LUKS header inside an image. */
interface Embedded {
  /** The header and everything after it. */
  readonly region: ByteSource;
  /** The offset that key_material_offset is relative to. */
  readonly keyMaterial: ByteSource;
  /** Where the region starts in the file. */
  readonly base: number;
  readonly regionBytes: number;
  readonly draft: boolean;
}

/**
 * The legacy encryption (crypt_method 1). A passphrase cannot be verified, so the first one is used.
 */
export function openLegacyAes(findings: Findings, options: DriverOptions): Encryption {
  findings.add(
    "qcow2.crypt.aes-key-size",
    inHeader("crypt_method"),
    "The specification says AES with 256-bit keys, but every implementation uses 128-bit keys",
  );
  const [passphrase] = options.passphrases ?? [];
  if (passphrase === undefined) return { access: missingKey(findings) };
  return by(legacyAes(passphrase), "guest");
}

/**
 * Opens and judges the LUKS header that the full disk encryption header pointer points to.
 *
 * @param extension the header pointer, which must have the correct length
 */
export function openEmbeddedLuks(
  file: Qcow2File,
  extension: Extension,
  { findings, options }: { findings: Findings; options: DriverOptions },
): Encryption | undefined {
  const pointer = decode(encryptionPointer, extensionData(file, extension));
  const { offset, length } = pointer;
  const holds = judgeOf(encryptionPointer, pointer, {
    context: { "LUKS header": HEADER_BYTES },
    of: "the encryption header",
    place: () => ({ path: "/encryption_header", offset }),
    findings,
  })("qcow2.ext.crypto-range", "qcow2.ext.crypto-readable");
  if (!holds) {
    missingKey(findings, options);
    return undefined;
  }
  const base = Number(offset);
  const regionBytes = Number(length);
  const region = new WindowSource(file.source, base);
  const embedded = { region, keyMaterial: region, base, regionBytes, draft: false };
  return openRegion(embedded, { findings, options });
}

/**
 * Opens the LUKS header in a header extension, as in the 2016 draft: key_material_offset is relative
 * to the start of the image file, and the payload offset is the length of the extension. The draft
 * does not specify IVs. Its code uses the number of the guest sector.
 */
export function openDraftLuks(
  file: Qcow2File,
  { findings, options }: { findings: Findings; options: DriverOptions },
): Encryption | undefined {
  const extension = firstExtensionOf(file, DRAFT_LUKS_EXTENSION);
  if (extension === undefined || !extension.headFits) return undefined;
  const base = extension.dataOffset;
  const region = new WindowSource(file.source, base, extension.length);
  const keyMaterial = file.source;
  const draft = { region, keyMaterial, base, regionBytes: keyMaterial.size, draft: true };
  return openRegion(draft, { findings, options });
}

function openRegion(
  { region, keyMaterial, base, regionBytes, draft }: Embedded,
  { findings, options }: { findings: Findings; options: DriverOptions },
): Encryption {
  missingKey(findings, options);
  const header = decodeLuks1(region);
  const add: AddFinding = (rule, place, message) =>
    findings.add(rule, placed(place, base), message);
  judgeLuks1(header, add, {
    kind: draft ? "detached" : "inside",
    headerBytes: regionBytes,
    ...(options.iterationsMax === undefined ? {} : { iterationsMax: options.iterationsMax }),
  });
  // Do not attempt what the format forbids. What only QEMU does not support may still be readable.
  if (findings.refusal("info", "spec") !== undefined) return { header, access: brokenHeader(base) };
  const access = accessTo(header, {
    keyMaterial,
    passphrases: options.passphrases,
    iterationsMax: options.iterationsMax,
    budget: options.budget,
    keptKeys: options.keptKeys,
    ...(draft ? {} : { regionBytes }),
  });
  if (access instanceof Luks1Volume) {
    const cipher = {
      decrypt: access.decryptSectors.bind(access),
      encrypt: access.encryptSectors.bind(access),
    };
    return { header, ...by(cipher, draft ? "guest" : "host") };
  }
  const outside = access.rule === "luks.slot.material-inside-file";
  const broken: Broken = {
    rule: outside ? "qcow2.ext.crypto-material-range" : access.rule,
    place: placed(access.place, base),
    message: access.message,
  };
  if (access !== noKey && findings.count(broken.rule) === 0) {
    findings.add(broken.rule, broken.place, broken.message);
  }
  for (const damaged of damagedSlots(header, { keyMaterial, base: draft ? 0 : base })) {
    findings.add(damaged.rule, placed(damaged.place, base), damaged.message);
  }
  return { header, access: broken };
}

function by(
  cipher: Pick<SectorCipher, "decrypt" | "encrypt">,
  which: "guest" | "host",
): Encryption {
  return {
    access: (bytes, at) => cipher.decrypt(bytes, BigInt(at[which] / SECTOR)),
    encrypt: (bytes, at) => cipher.encrypt(bytes, BigInt(at[which] / SECTOR)),
  };
}

/** A place in a LUKS header as a place in the image. */
function placed({ path, offset }: Place, base: number): Place {
  return {
    path: `/luks${path}`,
    ...(offset === undefined ? {} : { offset: base + Number(offset) }),
  };
}

function brokenHeader(base: number): Broken {
  const message = "The image does not open";
  return {
    rule: "qcow2.crypt.key-present",
    place: { path: "/luks/header", offset: base },
    message,
  };
}

/** Reports a missing passphrase. */
function missingKey(findings: Findings, options: DriverOptions = {}): Broken {
  const rule = "qcow2.crypt.key-present";
  const message = "The image is encrypted, and no passphrase is given";
  const place = inHeader("crypt_method");
  if (!options.passphrases?.length) findings.addLast(rule, place, message);
  return { rule, place, message };
}
