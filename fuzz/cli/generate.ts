import * as fc from "fast-check";
import { type ByteSource, utf8 } from "../../src/bytes/mod.ts";
import {
  type Options,
  parseOptions,
  print,
  unsupportedFormat,
  UsageError,
  wholeNumber,
  whyUnreadable,
} from "../../src/cli/mod.ts";
import { formatNames } from "../../src/formats.ts";
import { judgeImage, openFiles } from "../../src/image/mod.ts";
import { rawFormat, type RawModel } from "../../src/raw/mod.ts";
import { describeFile, type ImageRecord } from "../../src/recorded/mod.ts";
import { writeDensely } from "../compare/mod.ts";
import {
  drawsOf,
  editsOf,
  filesOf,
  formatIn,
  images,
  type Kit,
  openWith,
  passphrasesOf,
  type Use,
  wholes,
} from "../formats/mod.ts";
import { patterns } from "../generate/mod.ts";
import type { CaseFile } from "../engine/mod.ts";
import { describeEdit, type Edit } from "../mutate/mod.ts";
import { toPlainJson } from "../targets/mod.ts";

const COUNT_DEFAULT = 100;
const COUNT_MAX = 100_000;
const SEED_MAX = 2 ** 32 - 1;
/** The most bytes of the files of an image. */
const BYTES_MAX = 16 * 2 ** 20;
const CHAIN = "chain";
const MANIFEST = "manifest.jsonl";

const raw: Kit<RawModel> = {
  format: rawFormat,
  models: () =>
    fc.record({
      format: fc.constant("raw" as const),
      size: fc.nat(65536),
      pattern: patterns(),
    }),
};

/** Where the images of a format come from. */
const KITS: ReadonlyMap<string, Kit> = new Map([
  ["raw", raw as Kit],
  ...images.map((kit): [string, Kit] => [kit.format.name, kit]),
  ...wholes.filter(({ name }) => name === "").map((kit): [string, Kit] => [CHAIN, kit]),
]);
/** As they are listed elsewhere, and chains at the end. */
const NAMES = [...formatNames.filter((name) => KITS.has(name)), CHAIN];

/** The text of `generate --help`. */
export const help = `diskproof generate --out DIR [options]

Writes random images into DIR: a seed corpus for any fuzzer or reader. Each image has a folder,
and a line of DIR/${MANIFEST}: a record as in the corpus, without answers, with the model of the
image and the edits that made it malformed. Encrypted images come with their passphrases.

  --out DIR            the folder to write to; it must be empty or not exist
  --count N            the number of images, up to ${COUNT_MAX} (default ${COUNT_DEFAULT})
  --seed N             where they come from: a whole number below 2^32 (default 0)
  --format NAME        ${NAMES.join(", ")} (may be repeated; default all).
                       A chain is an overlay with its backing files.
  --valid              only images that keep their format
  --malformed          only images that break it; raw images cannot. Default: both in turn
  --force              write to a folder that is not empty
  --help               this text

The same options give the same bytes in the same release. The files of an image take at most
${BYTES_MAX / 2 ** 20} MiB together.

Exit status: 0 success, 2 the command line cannot be used or a file cannot be written.

Example

  diskproof generate --count 1000 --seed 7 --format qcow2 --malformed --out seeds
`;

/** `generate`: random images and a manifest. */
export function run(args: string[]): Promise<number> {
  return Promise.resolve(generate(args));
}

function generate(args: readonly string[]): number {
  const options = parseOptions(args, {
    flags: ["valid", "malformed", "force"],
    values: ["out", "count", "seed"],
    lists: ["format"],
  });
  const [unexpected] = options.positional;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const plan = planOf(options);
  prepare(plan.out, options.flag("force"));
  const counts = new Map<string, number>();
  const lines: string[] = [];
  for (const drawn of drawnBy(plan)) {
    lines.push(JSON.stringify(written(plan, drawn, lines.length)));
    counts.set(drawn.format, (counts.get(drawn.format) ?? 0) + 1);
  }
  Deno.writeTextFileSync(`${plan.out}/${MANIFEST}`, lines.map((line) => `${line}\n`).join(""));
  const sums = [...counts].map(([format, count]) => `${count} ${format}`).join(", ");
  print(`${lines.length} images in ${plan.out}: ${sums} (seed ${plan.seed})`);
  return 0;
}

type Sort = "valid" | "malformed";

interface Plan {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly sources: readonly { readonly format: string; readonly sort: Sort }[];
}

function planOf(options: Options): Plan {
  const out = options.value("out");
  if (out === undefined) throw new UsageError("name a folder with --out (see --help)");
  const [valid, malformed] = [options.flag("valid"), options.flag("malformed")];
  if (valid && malformed) throw new UsageError("--valid and --malformed cannot be combined");
  const named = options.list("format");
  for (const name of named) {
    if (!KITS.has(name)) throw new UsageError(unsupportedFormat(name, NAMES));
  }
  const sorts: readonly Sort[] = valid
    ? ["valid"]
    : malformed
    ? ["malformed"]
    : ["valid", "malformed"];
  const formats = named.length === 0 ? NAMES : NAMES.filter((name) => named.includes(name));
  const sources = sorts.flatMap((sort) => formats.map((format) => ({ format, sort })))
    .filter(({ format, sort }) => !(format === "raw" && sort === "malformed"));
  if (sources.length === 0) throw new UsageError("raw images cannot be malformed");
  return {
    out,
    count: wholeNumber(options, "count", { min: 1, max: COUNT_MAX }) ?? COUNT_DEFAULT,
    seed: wholeNumber(options, "seed", { min: 0, max: SEED_MAX }) ?? 0,
    sources,
  };
}

/** @throws {UsageError} when the folder is not empty, or cannot be made */
function prepare(out: string, force: boolean): void {
  try {
    Deno.mkdirSync(out, { recursive: true });
    const isEmpty = Deno.readDirSync(out)[Symbol.iterator]().next().done === true;
    if (isEmpty || force) return;
  } catch (error) {
    throw new UsageError(`Cannot write to ${out}: ${whyUnreadable(error)}`);
  }
  throw new UsageError(`Cannot write to ${out}: the folder is not empty (--force writes to it)`);
}

/** An image that was drawn. */
interface Drawn {
  readonly format: string;
  readonly sort: Sort;
  readonly kit: Kit;
  readonly model: unknown;
  readonly edits: readonly Edit[];
  readonly files: readonly CaseFile[];
}

/** The images: of each format and sort in turn, each from a sequence of its own. */
function* drawnBy({ count, seed, sources }: Plan): Generator<Drawn> {
  const sequences = sources.map(({ format, sort }, index) =>
    sequence(KITS.get(format) as Kit, { format, sort, seed: seed ^ (index << 20) })
  );
  for (let made = 0; made < count; made++) {
    const next = sequences[made % sequences.length]?.next();
    if (next?.done === false) yield next.value;
  }
}

/** Images that are drawn at a time. */
const BATCH = 16;

function* sequence(
  kit: Kit,
  { format, sort, seed }: { format: string; sort: Sort; seed: number },
): Generator<Drawn> {
  // Chains are edited as those are that are compared with qemu-img; `open` fuzzes no chains.
  const use: Use = sort === "valid" ? "roundtrip" : format === CHAIN ? "differential" : "open";
  const draws = fc.tuple(kit.models(use), drawsOf(kit, use));
  for (let batch = 0;; batch++) {
    for (const [model, drawn] of fc.sample(draws, { numRuns: BATCH, seed: seed + batch })) {
      const edits = sort === "valid" ? [] : editsOf(kit, model, drawn);
      const files = filesOf(kit, model, edits);
      const image = { format, sort, kit, model, files };
      if (sizeOf(files) <= BYTES_MAX && isOfSort(image)) yield { ...image, edits };
    }
  }
}

function sizeOf(files: readonly { readonly source: ByteSource }[]): number {
  return files.reduce((sum, { source }) => sum + source.size, 0);
}

/** Whether an image is of its sort: valid with all its files, or malformed whatever they are. */
function isOfSort({ format, sort, kit, model, files }: Omit<Drawn, "edits">): boolean {
  const passphrases = passphrasesOf(kit, model, "right");
  const inFolder = sort === "valid" && !isDetached(format, files);
  const sources = new Map(files.map(({ name, source }) => [name, source]));
  const image = inFolder
    ? openFiles(sources, formatIn(kit, model), { passphrases: passphrases.map(utf8) })
    : openWith(kit, files, passphrases);
  const { spec, findings } = judgeImage(image);
  if (sort === "valid") return spec.verdict === "valid";
  // A file may be missing here and not where the image is used.
  return spec.verdict !== "valid" && findings.every(({ rule }) => rule !== "blk.backing.opens");
}

/** Whether files are a LUKS header and its payload. */
function isDetached(format: string, files: readonly CaseFile[]): boolean {
  return format.startsWith("luks") && files.length > 1;
}

/** A record without answers, with what the image is made from. */
interface GeneratedRecord extends ImageRecord {
  readonly model: unknown;
  readonly edits: unknown;
}

/** Writes the files of an image, and gives the record of them. */
function written({ out, count }: Plan, drawn: Drawn, index: number): GeneratedRecord {
  const { format, sort, kit, model, edits, files } = drawn;
  const number = String(index).padStart(String(count - 1).length, "0");
  const name = `${number}-${format}-${sort}`;
  const directory = `${out}/${name}`;
  try {
    Deno.mkdirSync(directory, { recursive: true });
    for (const { name, source } of files) writeDensely(`${directory}/${name}`, source);
  } catch (error) {
    throw new UsageError(`Cannot write to ${directory}: ${whyUnreadable(error)}`);
  }
  const [first, payload] = files.map((file) => file.name);
  // Such a volume is opened by its payload.
  const detached = isDetached(format, files);
  const passphrases = passphrasesOf(kit, model, "right");
  return {
    name,
    features: [format, sort],
    builder: "diskproof",
    commands: [],
    changes: edits.map(describeEdit),
    subject: (detached ? payload : first) ?? "",
    ...(format === CHAIN ? {} : { format }),
    ...(passphrases.length === 0 ? {} : { passphrases }),
    ...(detached ? { header: first ?? "" } : {}),
    files: files.map((file) => describeFile(directory, file.name)),
    answers: {},
    model: toPlainJson(model),
    edits: toPlainJson(edits),
  };
}
