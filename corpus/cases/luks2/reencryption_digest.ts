import { SegmentSource } from "../../../src/bytes/mod.ts";
import { pbkdf2 } from "../../../src/crypto/mod.ts";
import type { BuiltImage, Json } from "../../../src/format/mod.ts";
import { chooseCopy, decodeLuks2, unlock } from "../../../src/luks2/mod.ts";

/** The parts of the JSON of a volume in a reencryption that the digest covers. */
interface Root {
  readonly keyslots: { readonly [name: string]: Slot };
  readonly segments: { readonly [name: string]: Segment };
}

interface Slot {
  readonly mode: string;
  readonly direction: string;
  readonly area: {
    readonly type: string;
    readonly offset: string;
    readonly size: string;
    readonly hash?: string;
    readonly sector_size?: number;
    readonly shift_size?: string;
  };
}

interface Segment {
  readonly type: string;
  readonly offset: string;
  readonly size: string;
  readonly iv_tweak: string;
  readonly encryption: string;
  readonly sector_size: number;
  readonly flags?: readonly string[];
}

/** The key slot of the reencryption. */
const SLOT = "1";
const ITERATIONS = 3;
const SALT = new Uint8Array(32).fill(7);

/** The digest that the key slot of a reencryption requires, from the JSON. */
export function reencryptionDigest(root: Json, volumeKey: Uint8Array): Json {
  const bytes = protectedBytes(root as unknown as Root, volumeKey);
  return {
    type: "pbkdf2",
    keyslots: [SLOT],
    segments: [],
    hash: "sha256",
    iterations: ITERATIONS,
    salt: SALT.toBase64(),
    digest: pbkdf2("sha256", bytes, SALT, ITERATIONS, 32).toBase64(),
  };
}

// LUKS2 On-Disk Format 1.1.1, Figure 6. The tests compare the volumes with cryptsetup.
function protectedBytes({ keyslots, segments }: Root, volumeKey: Uint8Array): Uint8Array {
  const slot = keyslots[SLOT];
  if (slot === undefined) throw new Error("The volume has no key slot of a reencryption");
  const { area, mode, direction } = slot;
  const backups = ["backup-previous", "backup-final", "backup-moved-segment"].flatMap((flag) =>
    Object.values(segments).filter(({ flags }) => flags?.includes(flag))
  );
  return Uint8Array.from([
    ...letters("v2"),
    ...volumeKey,
    ...letters(mode + direction + area.type),
    ...number(area.offset, 8),
    ...number(area.size, 8),
    ...area.hash === undefined ? [] : [...letters(area.hash), ...number(area.sector_size ?? 0, 4)],
    ...area.shift_size === undefined ? [] : number(area.shift_size, 8),
    ...backups.flatMap((segment) => [
      ...letters(segment.type),
      ...number(segment.offset, 8),
      ...segment.size === "dynamic" ? letters("dynamic") : number(segment.size, 8),
      ...segment.type === "linear" ? [] : [
        ...number(segment.iv_tweak, 8),
        ...letters(segment.encryption),
        ...number(segment.sector_size, 4),
      ],
    ]),
  ]);
}

function letters(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function number(value: string | number, width: number): Uint8Array {
  return Uint8Array.fromHex(BigInt(value).toString(16).padStart(2 * width, "0"));
}

const keys = new WeakMap<BuiltImage, Uint8Array>();

/** The key of a built volume, which the passphrase `first` opens. */
export function volumeKeyOf(image: BuiltImage): Uint8Array {
  const known = keys.get(image);
  if (known !== undefined) return known;
  const keyMaterial = new SegmentSource(image.segments, image.size);
  const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
  const passphrase = new TextEncoder().encode("first");
  const found = metadata && unlock(metadata, { keyMaterial, passphrase });
  if (found === undefined || !("volumeKey" in found)) throw new Error("The volume does not open");
  keys.set(image, found.volumeKey);
  return found.volumeKey;
}
