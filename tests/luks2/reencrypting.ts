/** Volumes in an online reencryption, made by hand of a built one: its key stays the same. */

import { MemorySource } from "../../src/bytes/mod.ts";
import { pbkdf2 } from "../../src/crypto/mod.ts";
import { chooseCopy, decodeLuks2, unlock } from "../../src/luks2/mod.ts";
import { set } from "./rule_case.ts";
import { type AnyJson, changed } from "./volumes.ts";

const AREA = 258048;
const FIRST = 2 * 0x4000;
/** Where the payload of the built volume starts. */
export const DATA = FIRST + 2 * AREA + 8192;

/** The key slot of a reencryption that is begun; its area is the first of two free pages. */
export const reencrypt = {
  type: "reencrypt",
  key_size: 1,
  mode: "reencrypt",
  direction: "forward",
  area: { type: "none", offset: String(FIRST + 2 * AREA), size: "4096" },
};

/** A segment of the cipher and the key of the built volume. */
export function cryptSegment(offset: number, size: number | "dynamic", flags?: string[]): AnyJson {
  return {
    type: "crypt",
    offset: String(offset),
    size: String(size),
    iv_tweak: String((offset - DATA) / 512),
    encryption: "aes-xts-plain64",
    sector_size: 512,
    ...flags === undefined ? {} : { flags },
  };
}

/** Makes a volume one in an online reencryption, with what differs from a sound one. */
export function reencrypted(
  root: AnyJson,
  edits: readonly (readonly [string, unknown])[] = [],
): void {
  root.config.requirements = { mandatory: ["online-reencrypt-v2"] };
  root.keyslots["1"] = structuredClone(reencrypt);
  root.segments["1"] = cryptSegment(DATA, "dynamic", ["backup-previous"]);
  root.segments["2"] = cryptSegment(DATA, "dynamic", ["backup-final"]);
  root.digests["0"].segments = ["0", "1", "2"];
  for (const [path, to] of edits) set(root, path, structuredClone(to));
}

/** The same, with the digest that the key slot has to have. */
export function signed(root: AnyJson, edits: readonly (readonly [string, unknown])[] = []): void {
  reencrypted(root, edits);
  const salt = new Uint8Array(32).fill(7);
  const digest = pbkdf2("sha256", protectedBytes(root), salt, 3, 32);
  root.digests["9"] = {
    type: "pbkdf2",
    keyslots: ["1"],
    segments: [],
    hash: "sha256",
    iterations: 3,
    salt: salt.toBase64(),
    digest: digest.toBase64(),
  };
}

/** What differs from that where the second kibibyte was interrupted, with a type of area. */
export function interrupted(type: string): [string, unknown][] {
  const checksums = type.endsWith("checksum") ? { hash: "sha256", sector_size: 512 } : {};
  const shift = type.startsWith("datashift") ? { shift_size: "1024" } : {};
  return [
    ["/keyslots/1/area", { ...reencrypt.area, type, ...checksums, ...shift }],
    ["/keyslots/1/direction", "backward"],
    ["/segments/0", cryptSegment(DATA, 1024)],
    ["/segments/1", cryptSegment(DATA + 1024, 1024, ["in-reencryption"])],
    ["/segments/2", cryptSegment(DATA + 2048, "dynamic")],
    ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
    ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
    ["/digests/0/segments", ["0", "1", "2", "3", "4"]],
  ];
}

// LUKS2 On-Disk Format 1.1.1, Figure 6. cryptsetup is asked about what is made of it.
function protectedBytes(root: AnyJson): Uint8Array {
  const { area, mode, direction } = root.keyslots["1"];
  const backups = ["backup-previous", "backup-final", "backup-moved-segment"].flatMap((flag) =>
    Object.values<AnyJson>(root.segments).filter(({ flags }) => flags?.includes(flag))
  );
  return Uint8Array.from([
    ...text("v2"),
    ...volumeKey(),
    ...text(mode + direction + area.type),
    ...number(area.offset, 8),
    ...number(area.size, 8),
    ...area.hash === undefined ? [] : [...text(area.hash), ...number(area.sector_size, 4)],
    ...area.shift_size === undefined ? [] : number(area.shift_size, 8),
    ...backups.flatMap((segment) => [
      ...text(segment.type),
      ...number(segment.offset, 8),
      ...segment.size === "dynamic" ? text("dynamic") : number(segment.size, 8),
      ...segment.type === "linear" ? [] : [
        ...number(segment.iv_tweak, 8),
        ...text(segment.encryption),
        ...number(segment.sector_size, 4),
      ],
    ]),
  ]);
}

function text(said: string): number[] {
  return [...new TextEncoder().encode(said)];
}

function number(value: string | number, width: number): number[] {
  const digits = BigInt(value).toString(16).padStart(2 * width, "0");
  return [...Uint8Array.fromHex(digits)];
}

let key: Uint8Array | undefined;

/** The key of the built volume. */
export function volumeKey(): Uint8Array {
  if (key !== undefined) return key;
  const keyMaterial = new MemorySource(changed({}));
  const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
  const passphrase = new TextEncoder().encode("first");
  const found = metadata && unlock(metadata, { keyMaterial, passphrase });
  if (found === undefined || !("volumeKey" in found)) throw new Error("The volume does not open");
  return key = found.volumeKey;
}
