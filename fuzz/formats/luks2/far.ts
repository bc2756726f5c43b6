import { readUpTo, SegmentSource, utf8 } from "../../../src/bytes/mod.ts";
import { pbkdf2 } from "../../../src/crypto/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import { layersOf, openDetachedBytes, readContent } from "../../../src/image/mod.ts";
import {
  chooseCopy,
  decodeLuks2,
  luks2Content,
  normaliseLuks2,
  protectedBytes,
  unlock,
} from "../../../src/luks2/mod.ts";
import { Failure } from "../../engine/mod.ts";
import { applyEdits, type Edit } from "../../mutate/mod.ts";
import { assertSameBytes } from "../content.ts";
import { keptKeys } from "../kept_keys.ts";
import { layOutLuks2 } from "./volumes.ts";

/** Where the new data starts: behind 4 GiB, and so does what moving it by a part has left. */
const FAR = 2 ** 32 + 2 ** 16;
/** Bytes of a part, and by how much the data is moved. */
const PART = 4096;
const PASSPHRASE = "far";

const model = normaliseLuks2({
  ...{ format: "luks2", seed: 1, uuid: "", label: "", subsystem: "", seqid: 1 },
  ...{ headerSize: 0x4000, spare: PART, primary: "sound", secondary: "sound", sectorSize: 512 },
  ...{ encryption: "aes-xts-plain64", keyBytes: 32, ivTweak: 0, hash: "sha256" },
  ...{ checksum: "sha256", digestIterations: 1, tokens: 0, detached: true, fixed: false },
  keys: [{
    slot: 0,
    passphrase: PASSPHRASE,
    kdf: { type: "pbkdf2", hash: "sha256", iterations: 1 },
    priority: 1,
  }],
  size: 2 * PART,
  pattern: { kind: "noise", seed: 1 },
});

let isCompared = false;

/**
 * Compares the content of reencryptions behind 4 GiB that were interrupted in their second part. It is
 * still at its old place where data is moved; with checksums, none of its blocks is as it was.
 *
 * @throws {Failure} if it is not the content of the model
 */
export function assertFarReencryption(): void {
  if (isCompared) return;
  assertInterrupted({ type: "datashift", shift_size: String(PART) }, PART);
  assertInterrupted({ type: "checksum", hash: "sha256", sector_size: 512 }, 0);
  isCompared = true;
}

/** @param shift bytes by which data is moved */
function assertInterrupted(area: { readonly [name: string]: Json }, shift: number): void {
  const { image, others = [] } = layOutLuks2(model);
  const payload = readUpTo(others[0]?.source ?? new SegmentSource([], 0), 0, model.size).slice();
  // The file ends where the second part will.
  const moved = new SegmentSource([{ offset: FAR - shift, bytes: payload }], FAR + 2 * PART);
  const edits = reencryption(area, shift);
  const begun = applyEdits(image, edits);
  const header = applyEdits(image, [...edits, set("/digests/9", digestOf(begun))]);
  const options = { passphrases: [utf8(PASSPHRASE)], keptKeys };
  const opened = openDetachedBytes(moved, header, options);
  if (opened.layer?.unlocked !== true) {
    const why = opened.findings.list().map(({ message }) => message).join(", ");
    throw new Failure("luks2.far", `A reencryption behind 4 GiB does not open: ${why}`);
  }
  const content = readContent(layersOf(opened), 0, model.size);
  assertSameBytes("luks2.far", content, luks2Content(model));
}

function set(member: string, value: Json): Edit {
  return { op: "json", path: "/*/json", member, value, sealed: true };
}

/** The digest that the key slot of the reencryption requires. */
function digestOf(header: ReturnType<typeof applyEdits>): Json {
  const { metadata } = chooseCopy(decodeLuks2(header));
  const found = metadata &&
    unlock({ ...metadata, reencryption: undefined }, {
      keyMaterial: header,
      passphrase: utf8(PASSPHRASE),
      keptKeys,
    });
  const bytes = metadata?.reencryption && found !== undefined && "volumeKey" in found
    ? protectedBytes(metadata.reencryption, [found.volumeKey])
    : undefined;
  if (bytes === undefined) throw new Failure("luks2.far", "A reencryption has no key");
  const salt = new Uint8Array(32);
  return {
    ...{ type: "pbkdf2", keyslots: ["1"], segments: [], hash: "sha256", iterations: 1 },
    salt: salt.toBase64(),
    digest: pbkdf2("sha256", bytes, salt, 1, 32).toBase64(),
  };
}

function reencryption(resilience: { readonly [name: string]: Json }, shift: number): Edit[] {
  const { metadata } = chooseCopy(decodeLuks2(applyEdits(layOutLuks2(model).image, [])));
  const areas = metadata?.json.keyslots.map(({ area: { offset, size } }) => offset + size) ?? [];
  const area = { ...resilience, offset: String(areas[0] ?? 0), size: String(PART) };
  const segment = (offset: number, size: string, flags: string[] = []): Json => ({
    ...{ type: "crypt", offset: String(offset), size, iv_tweak: "0" },
    ...{ encryption: model.encryption, sector_size: model.sectorSize },
    ...flags.length === 0 ? {} : { flags },
  });
  const second = segment(FAR + PART, String(PART), ["in-reencryption"]) as { [name: string]: Json };
  return [
    set("/config/requirements", { mandatory: ["online-reencrypt-v2"] }),
    set("/keyslots/1", {
      ...{ type: "reencrypt", key_size: 1, mode: "reencrypt", direction: "backward", area },
    }),
    set("/segments/0", segment(FAR - shift, String(PART))),
    set("/segments/1", { ...second, iv_tweak: String(PART / 512) }),
    set("/segments/2", segment(FAR - shift, "dynamic", ["backup-previous"])),
    set("/segments/3", segment(FAR, "dynamic", ["backup-final"])),
    set("/digests/0/segments", ["0", "1", "2", "3"]),
  ];
}
