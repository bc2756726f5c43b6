/**
 * A made-up format, in this folder alone: a header and a table with a file block for each block of the
 * disk, all little-endian. It shows that a format is a room and a line in a list.
 */

import type { ByteSource } from "../../src/bytes/mod.ts";
import {
  AccessError,
  AnatomyCollector,
  type Broken as AnyBroken,
  type BuiltFiles,
  type Format,
  type FormatDriver,
  type GuestContent,
  type Layer,
  type LayerInfo,
  type Pattern,
  patternBytes,
  type Run,
  structRows,
  WHOLE,
} from "../../src/format/mod.ts";
import {
  decode,
  type Decoded,
  encodeInto,
  judgeOf,
  offsetOf,
  rangeOf,
  struct,
  u16,
  u32,
  u64,
} from "../../src/layout/mod.ts";
import {
  defineRules,
  type Findings as AnyFindings,
  type Place,
  type RuleTable,
} from "../../src/rules/mod.ts";

const TOY_MAGIC = 0x21594f54;

/** The header: `TOY!` in front. */
export const header = struct("toy.header", { section: "Toy, 1", size: 24, byteOrder: "little" }, [
  u32("magic", {
    doc: "Identifies the format.",
    values: { toy: TOY_MAGIC },
    constraints: [{ oneOf: "values", rule: "toy.header.magic" }],
  }),
  u16("version", {
    doc: "Version of the format.",
    values: { first: 1 },
    constraints: [{ oneOf: "values", rule: "toy.header.version" }],
  }),
  u16("block_bits", {
    doc: "Log2 of the size of a block.",
    constraints: [
      { min: 9, rule: "toy.header.block-bits" },
      { max: 16, rule: "toy.header.block-bits" },
    ],
  }),
  u64("blocks", { doc: "Blocks of the disk." }),
  u64("table_offset", {
    doc: "Start of the table.",
    unit: "bytes",
    pointsTo: "toy.entry",
    constraints: [{ region: "table", endsBy: "file size", rule: "toy.table.inside-file" }],
  }),
]);

/** An entry of the table. */
export const entry = struct("toy.entry", { section: "Toy, 2", size: 4, byteOrder: "little" }, [
  u32("block", { doc: "Block of the file with the data; 0 where there is none." }),
]);

const table = {
  "toy.header.magic": ["spec", "must", "refused-at-open", "Toy, 1", "The magic is 'TOY!'."],
  "toy.header.version": ["spec", "must", "refused-at-open", "Toy, 1", "The version is 1."],
  "toy.header.block-bits": ["spec", "must", "refused-at-open", "Toy, 1", "block_bits is 9 to 16."],
  "toy.table.inside-file": [
    "spec",
    "must",
    "refused-at-open",
    "Toy, 2",
    "The table is in the file.",
  ],
  "toy.entry.inside-file": ["spec", "must", "fails-at-access", "Toy, 2", "A block is in the file."],
} as const satisfies RuleTable;

type ToyRule = keyof typeof table;
type Findings = AnyFindings<ToyRule>;
type Broken = AnyBroken<ToyRule>;

/** A disk, and the blocks of it that hold something. */
export interface ToyModel {
  readonly format: "toy";
  readonly blockBits: number;
  readonly blocks: number;
  readonly data: readonly { readonly index: number; readonly pattern: Pattern }[];
}

function sizeOf({ block_bits }: Decoded<typeof header>): number {
  return 2 ** block_bits;
}

function judgeHeader(source: ByteSource, head: Decoded<typeof header>, findings: Findings): void {
  const judge = judgeOf<typeof header, ToyRule, Place>(header, head, {
    context: { table: head.blocks * BigInt(entry.size), "file size": source.size },
    place: (field) => ({ path: `/header/${field}`, offset: offsetOf(header, field) }),
    findings,
  });
  judge(
    "toy.header.magic",
    "toy.header.version",
    "toy.header.block-bits",
    "toy.table.inside-file",
  );
}

class ToyLayer implements Layer {
  readonly format = "toy";
  readonly encrypted = false;
  readonly dirty = false;
  readonly clusterSize: number;
  readonly virtualSize: number;
  readonly #source: ByteSource;
  readonly #table: number;

  constructor(source: ByteSource, head: Decoded<typeof header>) {
    this.#source = source;
    this.#table = Number(head.table_offset);
    this.clusterSize = sizeOf(head);
    this.virtualSize = Number(head.blocks) * this.clusterSize;
  }

  *runs(from: number, to: number): Generator<Run> {
    for (let start = from; start < to;) {
      const index = Math.floor(start / this.clusterSize);
      const end = Math.min(to, (index + 1) * this.clusterSize);
      yield this.#run(index, { start, length: end - start });
      start = end;
    }
  }

  #run(index: number, range: { start: number; length: number }): Run {
    const at = this.#table + index * entry.size;
    const { block } = decode(entry, this.#source.read(at, entry.size));
    if (block === 0) return { ...range, kind: "zero" };
    const host = block * this.clusterSize + range.start % this.clusterSize;
    if (block * this.clusterSize < this.#source.size) return { ...range, kind: "data", host };
    const place = { path: `/table/${index}/block`, offset: at };
    const broken: Broken = { rule: "toy.entry.inside-file", place, message: `block is ${block}` };
    return { ...range, kind: "data", host, broken };
  }

  readRun(run: Run, skip: number, target: Uint8Array): void {
    if (run.broken !== undefined) throw new AccessError(run.broken);
    this.#source.readInto((run.host ?? 0) + skip, target);
  }

  info(): LayerInfo {
    return { "cluster-size": this.clusterSize, "dirty-flag": false };
  }

  judge(findings: AnyFindings): void {
    for (const { broken } of this.runs(0, this.virtualSize)) {
      if (broken !== undefined) findings.add(broken.rule, broken.place, broken.message);
    }
  }
}

const driver: FormatDriver = {
  probe: (head) => decode(header, head).magic === TOY_MAGIC,
  open(source, findings) {
    const head = decode(header, source.read(0, header.size));
    judgeHeader(source, head, findings);
    return findings.refusal("info") === undefined ? new ToyLayer(source, head) : undefined;
  },
  anatomy(source, options) {
    const collector = new AnatomyCollector(options, source);
    const place = { path: "/header", offset: 0, length: header.size };
    collector.part({ ...place, title: "header", rows: structRows(header, source, place) });
    collector.claim({ ...place, kind: "header" });
    return collector.done();
  },
};

function build({ blockBits, blocks, data }: ToyModel): BuiltFiles {
  const size = 2 ** blockBits;
  const entries = new Uint8Array(blocks * entry.size);
  const first = Math.ceil((header.size + entries.length) / size);
  data.forEach(({ index }, i) => {
    encodeInto(entry, { block: first + i }, { target: entries, at: index * entry.size });
  });
  const head = new Uint8Array(header.size);
  encodeInto(header, {
    ...{ magic: TOY_MAGIC, version: 1, block_bits: blockBits },
    ...{ blocks: BigInt(blocks), table_offset: BigInt(header.size) },
  }, { target: head, at: 0 });
  const tablePlace = { path: "/table", offset: header.size, length: entries.length };
  return {
    image: {
      segments: [
        { offset: 0, bytes: head },
        { offset: header.size, bytes: entries },
        ...data.map(({ pattern }, i) => ({
          offset: (first + i) * size,
          bytes: patternBytes(pattern, size),
        })),
      ].filter(({ bytes }) => bytes.length > 0),
      size: (first + data.length) * size,
      placed: [
        { path: "/header", offset: 0, length: header.size, struct: header, role: "header" },
        { ...tablePlace, struct: entry, count: blocks, role: "table" },
      ],
    },
  };
}

function content({ blockBits, blocks, data }: ToyModel): GuestContent {
  const clusterSize = 2 ** blockBits;
  const byIndex = new Map(data.map(({ index, pattern }) => [index, pattern]));
  return {
    clusterSize,
    virtualSize: blocks * clusterSize,
    named: Array.from({ length: blocks }, (_, index) => index),
    at: (index) => ({
      bytes: patternBytes(byIndex.get(index) ?? { kind: "zero", seed: 0 }, clusterSize),
      known: WHOLE,
    }),
  };
}

function normalise({ blockBits, blocks, data }: ToyModel): ToyModel {
  const unique = new Map(
    data.filter(({ index }) => index < blocks).map((block) => [block.index, block]),
  );
  const { min, max } = rangeOf(header, "block_bits");
  const bits = Math.min(Math.max(blockBits, Number(min)), Number(max));
  return { format: "toy", blockBits: bits, blocks, data: [...unique.values()] };
}

/** The toy. */
export const toy: Format<ToyModel, "toy"> = {
  name: "toy",
  title: "toy",
  aliases: [],
  structures: [header, entry],
  rules: defineRules(table),
  tools: [],
  driver,
  verdict: { tool: "qemu-img" },
  writer: { normalise, build, content },
};
