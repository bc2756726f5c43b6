/** Volumes with a few wrong values, told by a seed: field edits, changed bytes, another length. */

import { type ByteSource, type Patch, PatchedSource } from "../../src/bytes/mod.ts";
import type { BuiltImage } from "../../src/format/mod.ts";
import { readUint, type Struct, writeUint } from "../../src/layout/mod.ts";
import { sourceOf } from "./volumes.ts";
import { Dice } from "../dice.ts";

/** What differs from the volume that was built. */
export interface Mutant {
  readonly source: ByteSource;
  readonly edits: readonly string[];
}

/** Names that a header has, or might have. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  cipher_name: ["aes", "serpent", "twofish", "cast5", "camellia", "AES", "", "aes\0x", "3des"],
  cipher_mode: [
    ...[
      "xts-plain64",
      "cbc-plain64",
      "cbc-essiv:sha256",
      "cbc-essiv:md5",
      "ctr-plain",
      "ecb-plain",
    ],
    ...["cbc", "ecb", "xts-essiv:sha1", "cbc-plain64:sha1", "cbc-plain64:none", "cbc-essiv"],
    ...[
      "cbc-null",
      "lrw-benbi",
      "-",
      "cbc-",
      "-plain",
      "cbc-plain64-x",
      "pcbc-plain",
      "cbc-essiv:",
    ],
  ],
  hash_spec: ["sha256", "sha1", "md5", "sha224", "ripemd160", "whirlpool", "SHA1", "", "sha512\0x"],
  uuid: ["", "x", "é\xff", '\n"\\', "a".repeat(40)],
};

/** Iterations take time, and QEMU takes it. */
const ITERATIONS_MAX = 3000;

/** Makes one to three changes. */
export function mutate(built: BuiltImage, seed: number): Mutant {
  const dice = new Dice(seed);
  const base = sourceOf(built);
  const patches: Patch[] = [];
  const edits: string[] = [];
  let size = base.size;
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const sort = dice.below(12);
    if (sort === 0) {
      size = dice.of([dice.below(base.size + 1), base.size + dice.below(5000), 592, 591, 600]);
      edits.push(`size := ${size}`);
      continue;
    }
    const before = new PatchedSource(base, patches, base.size);
    const edit = sort < 3 ? byteEdit(before, dice) : fieldEdit(built, before, dice);
    patches.push(edit.patch);
    edits.push(edit.says);
  }
  return { source: new PatchedSource(base, patches, size), edits };
}

interface Edit {
  readonly patch: Patch;
  readonly says: string;
}

/** Bytes of the header that hold no count of iterations, whose high bytes would take hours. */
function byteEdit(before: ByteSource, dice: Dice): Edit {
  const offset = dice.of([dice.below(164), 168 + dice.below(40), 208 + 48 * dice.below(8)]);
  const [old = 0] = before.read(offset, 1);
  const value = old ^ dice.of([1, 0x80, 0xff, 1 + dice.below(255)]);
  return { patch: { offset, bytes: Uint8Array.of(value) }, says: `byte ${offset} := ${value}` };
}

function fieldEdit(built: BuiltImage, before: ByteSource, dice: Dice): Edit {
  const placed = dice.of(built.placed.filter(({ struct }) => struct !== undefined));
  const struct = placed.struct as Struct;
  const index = dice.below(placed.count ?? 1);
  const field = dice.of(struct.fields);
  const at = (struct.offsets as Record<string, number>)[field.name] ?? 0;
  const offset = placed.offset + index * struct.size + at;
  const path = placed.count === undefined ? placed.path : `${placed.path}/${index}`;
  const bytes = new Uint8Array(field.width);
  if (field.kind === "bytes") {
    const text = dice.of(TEXTS[field.name] ?? ["\x01\x02\x03"]);
    bytes.set(Uint8Array.from(text, (letter) => letter.charCodeAt(0)).subarray(0, field.width));
    return { patch: { offset, bytes }, says: `${path}/${field.name} := ${JSON.stringify(text)}` };
  }
  const old = Number(readUint(before.read(offset, field.width), 0, field.width));
  const value = newValue(field.name, old, dice);
  writeUint(bytes, 0, field.width, BigInt(value));
  return { patch: { offset, bytes }, says: `${path}/${field.name} := ${value}` };
}

function newValue(name: string, old: number, dice: Dice): number {
  if (/iter/.test(name)) return dice.of([0, 1, dice.below(ITERATIONS_MAX)]);
  if (name === "active") return dice.of([0xdead, 0xac71f3, 0, 0xcafe]);
  if (name === "key_bytes") return dice.of([16, 24, 32, 48, 64, 33, 65, 0, 1, dice.below(100)]);
  const near = old + dice.of([1, -1, 8, -8, 128, -128, 256, -3]);
  return dice.of([near, near, 0, 1, 7, 8, 2 ** 32 - 128, 2 ** 31, dice.below(5000)]) >>> 0;
}
