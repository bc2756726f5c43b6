/** The values of the JSON of a volume in an online reencryption, as changes of a JSON that is parsed. */

import { DATA } from "../../corpus/cases/luks2/models.ts";
import {
  BEGUN,
  checksum,
  cryptSegment,
  interruptedAt,
  reencrypt,
} from "../../corpus/cases/luks2/reencrypting.ts";
import { reencryptionDigest, volumeKeyOf } from "../../corpus/cases/luks2/reencryption_digest.ts";
import { buildLuks2 } from "../../src/luks2/mod.ts";
import { type AnyJson, modelOf } from "./volumes.ts";

export { cryptSegment, DATA };

/** Values of places in JSON. */
type Values = readonly (readonly [path: string, value: unknown])[];

/** Makes a volume one in an online reencryption, with the digest that its key slot must have. */
export function signed(root: AnyJson, values: Values = []): void {
  for (const [path, value] of [...BEGUN, ...values]) set(root, path, structuredClone(value));
  root.digests["9"] = reencryptionDigest(root, volumeKey());
}

/** Sets a value in JSON. */
function set(root: AnyJson, path: string, to: unknown): void {
  const names = path.split("/").slice(1);
  const last = names.pop() ?? "";
  names.reduce((node, name) => node[name], root)[last] = to;
}

/** What differs from that where the second kibibyte was interrupted, with a type of area. */
export function interrupted(type: string): Values {
  const { hash, sector_size } = checksum("sha256", 512);
  const checksums = type.endsWith("checksum") ? { hash, sector_size } : {};
  const shift = type.startsWith("datashift") ? { shift_size: "1024" } : {};
  return [
    ["/keyslots/1/area", { ...reencrypt.area, type, ...checksums, ...shift }],
    ["/keyslots/1/direction", "backward"],
    ...interruptedAt(1024),
  ];
}

let key: Uint8Array | undefined;

/** The key of the built volume. */
export function volumeKey(): Uint8Array {
  return key ??= volumeKeyOf(buildLuks2(modelOf()).image);
}
