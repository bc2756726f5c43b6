import { type FileSource, hex, PatchedSource } from "../bytes/mod.ts";
import { type KnownFacts, type ProposedField, type Remains, visible } from "../format/mod.ts";
import { scanFile } from "../image/mod.ts";
import { tableLines } from "../report/mod.ts";
import { openFile } from "./images.ts";
import type { OptionNames, Options } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { FAILED } from "./program.ts";
import { sizeOption } from "./sizes.ts";
import { ImageError, UsageError } from "./verb.ts";
import { copyTo, type NewFile, writeFiles } from "./write_files.ts";

/** The options of a scan besides `--scan`. */
export const SCANNING = {
  flags: ["aes", "extended-l2", "force"],
  values: ["write-repaired", "virtual-size", "backing", "backing-format", "data-file"],
  letters: { b: "backing", F: "backing-format" },
} as const satisfies OptionNames;

/** What they do, for the help of `inspect`. */
export const SCANNING_HELP =
  `  --scan               look for an image whose header is damaged or lost: tables, snapshots,
                       second headers; print what it was and the header that it needs
  --write-repaired OUT write a copy with that header; the image itself is never changed
  --force              replace OUT if it exists
  --virtual-size SIZE  the size of the disk, which only the header of qcow and qcow2 has
  -b, --backing FILE, -F, --backing-format NAME
                       the backing file, if there was one
  --data-file FILE     the external data file
  --extended-l2        L2 entries are extended, where the tables leave it open
  --aes                the content is encrypted with the legacy AES of qcow and qcow2`;

/** The options of a scan that were given although there is none. */
export function scanOptionsIn(options: Options): string[] {
  const { flags, values } = SCANNING;
  return [
    ...flags.filter((name) => options.flag(name)),
    ...values.filter((name) => options.value(name) !== undefined),
  ];
}

/**
 * `inspect --scan`: what a damaged file once was.
 *
 * @returns the exit status: 1 where nothing was found
 */
export async function scanImage(path: string, options: Options): Promise<number> {
  const known = knownFacts(options);
  const source = openFile(path);
  try {
    const remains = scanFile(source, known);
    const out = options.value("write-repaired");
    if (out !== undefined) {
      await writeRepaired({ path, out, force: options.flag("force") }, source, remains);
    }
    if (options.flag("json")) print(jsonLine(scanJson(path, source, { remains, out })));
    else for (const line of scanLines(path, source, { remains, out })) print(line);
    return remains.length === 0 ? FAILED : 0;
  } finally {
    source.close();
  }
}

/** @throws {UsageError} for a backing format without a backing file */
function knownFacts(options: Options): KnownFacts {
  const virtualSize = sizeOption(options, "virtual-size");
  const name = options.value("backing");
  const format = options.value("backing-format");
  const dataFile = options.value("data-file");
  if (name === undefined && format !== undefined) {
    throw new UsageError("--backing-format needs --backing");
  }
  return {
    ...(virtualSize === undefined ? {} : { virtualSize }),
    ...(name === undefined
      ? {}
      : { backing: { name, ...(format === undefined ? {} : { format }) } }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(options.flag("extended-l2") ? { extendedL2: true } : {}),
    ...(options.flag("aes") ? { aes: true } : {}),
  };
}

/** @throws {ImageError} where nothing was found that a header could be written for */
async function writeRepaired(
  { path, out, force }: { path: string; out: string; force: boolean },
  source: FileSource,
  remains: readonly Remains[],
): Promise<void> {
  const { repair } = remains.find((found) => found.repair !== undefined) ?? {};
  if (repair === undefined) {
    const intact = remains.some(({ unknown }) => unknown.length === 0);
    const why = intact ? "its header is intact" : "no header was found that it lacks";
    throw new ImageError(`Cannot repair ${path}: ${why}`);
  }
  const end = Math.max(source.size, ...repair.map(({ offset, bytes }) => offset + bytes.length));
  const repaired = new PatchedSource(source, repair, end);
  const files = { paths: [out], force, reads: [path], secret: false };
  await writeFiles(files, ([file]) => copyTo(repaired, file as NewFile));
}

interface Scanned {
  readonly remains: readonly Remains[];
  readonly out: string | undefined;
}

function scanJson(image: string, { size }: FileSource, { remains, out }: Scanned): unknown {
  return {
    image,
    size,
    remains: remains.map(({ repair, ...found }) => ({
      ...found,
      repairable: repair !== undefined,
    })),
    repaired: out ?? null,
  };
}

function* scanLines(
  path: string,
  { size }: FileSource,
  { remains, out }: Scanned,
): Generator<string> {
  yield `${visible(path)}: ${size} bytes`;
  if (remains.length === 0) yield "  no image with a damaged or lost header was found";
  for (const { format, confidence, evidence, fields, unknown } of remains) {
    yield `  ${format}, ${confidence}`;
    yield "";
    for (const sentence of evidence) yield `    ${visible(sentence)}`;
    yield "";
    const rows = fields.map((field) => [field.name, valueText(field), field.note ?? ""]);
    for (const line of tableLines({ heading: ["field", "value", ""], rows })) {
      yield `    ${visible(line)}`;
    }
    if (unknown.length > 0) {
      yield "";
      yield "    not known:";
      for (const sentence of unknown) yield `      ${visible(sentence)}`;
    }
    yield "";
  }
  if (out !== undefined) yield `A repaired copy is in ${visible(out)}`;
}

function valueText({ value, isOffset }: ProposedField): string {
  return isOffset === true && typeof value === "number" ? hex(value) : String(value);
}
