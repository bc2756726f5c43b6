/** Images with a few wrong values, told by a seed: field edits, changed bytes, another length. */

import { type ByteSource, type Patch, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import { readUint, writeUint } from "../../src/layout/mod.ts";
import { Dice } from "../dice.ts";

const REQUEST_END_MAX = 2n ** 63n - 2n ** 30n;

/** What differs from the image that was built. */
export interface Mutant {
  readonly source: ByteSource;
  readonly edits: readonly string[];
}

/** Makes one to four changes. */
export function mutate(built: BuiltImage, seed: number): Mutant {
  const dice = new Dice(seed);
  const base = new SegmentSource(built.segments, built.size);
  const patches: Patch[] = [];
  const edits: string[] = [];
  let size = base.size;
  for (let count = 1 + dice.below(4); count > 0; count--) {
    const before = new PatchedSource(base, patches, Math.max(size, base.size));
    const sort = dice.below(10);
    if (sort === 0) {
      size = dice.of([dice.below(base.size + 1), base.size + dice.below(100_000)]);
      edits.push(`size := ${size}`);
      continue;
    }
    const edit = sort < 3 ? byteEdit(built, before, dice) : fieldEdit(built, before, dice);
    patches.push(edit.patch);
    edits.push(edit.says);
  }
  return { source: new PatchedSource(base, patches, size), edits };
}

interface Edit {
  readonly patch: Patch;
  readonly says: string;
}

function byteEdit(built: BuiltImage, before: ByteSource, dice: Dice): Edit {
  const placed = dice.of(built.placed);
  const offset = placed.offset + dice.below(placed.length);
  const [old = 0] = before.read(offset, 1);
  const value = old ^ dice.of([1, 0x80, 0xff, 1 + dice.below(255)]);
  return { patch: { offset, bytes: Uint8Array.of(value) }, says: `byte ${offset} := ${value}` };
}

function fieldEdit(built: BuiltImage, before: ByteSource, dice: Dice): Edit {
  const placed = dice.of(built.placed.filter(({ struct }) => struct !== undefined));
  const struct = placed.struct as NonNullable<Placed["struct"]>;
  const index = chosenElement(placed, before, dice);
  const field = dice.of(struct.fields);
  const at = (struct.offsets as Record<string, number>)[field.name] ?? 0;
  const offset = placed.offset + index * struct.size + at;
  const old = readUint(before.read(offset, field.width), 0, field.width);
  const value = BigInt.asUintN(8 * field.width, newValue(old, { built, dice, width: field.width }));
  const bytes = new Uint8Array(field.width);
  writeUint(bytes, 0, field.width, value);
  const path = placed.count === undefined ? placed.path : `${placed.path}/${index}`;
  return { patch: { offset, bytes }, says: `${path}/${field.name} := 0x${value.toString(16)}` };
}

/** An element of a table: one that is used, more often than not. */
function chosenElement({ struct, count, offset }: Placed, before: ByteSource, dice: Dice): number {
  if (struct === undefined || count === undefined) return 0;
  const stored = Math.min(count, 8192);
  const table = before.read(offset, stored * struct.size);
  const used = Array.from({ length: stored }, (_, index) => index)
    .filter((index) => readUint(table, index * struct.size, struct.size) !== 0n);
  return used.length > 0 && dice.below(4) > 0 ? dice.of(used) : dice.below(stored);
}

function newValue(
  old: bigint,
  { built, dice, width }: { built: BuiltImage; dice: Dice; width: number },
): bigint {
  const bits = BigInt(8 * width);
  const near = BigInt(dice.of([-512, -8, -1, 0, 0, 1, 8, 9, 512, 513, 4096]));
  switch (dice.below(6)) {
    case 0:
      return old + near;
    case 1:
      return old ^ (1n << BigInt(dice.below(Number(bits))));
    case 2:
      return (1n << BigInt(dice.below(Number(bits) + 1))) + near;
    case 3:
      return BigInt(dice.of([built.size, dice.of(built.placed).offset])) + near;
    case 4:
      return dice.of([REQUEST_END_MAX, REQUEST_END_MAX - 65536n, 2n ** 63n, 2n ** 62n]) + near;
    default:
      return BigInt(dice.of([0, 1, 2, 5, 6, 8, 9, 13, 14, 16, 17, 511, 1000, 1023, 1024, 65536]));
  }
}
