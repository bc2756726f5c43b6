import { hexOf } from "../bytes/mod.ts";
import {
  type Anatomy,
  type AnatomyOptions,
  type DamageSummary,
  Marks,
  type Part,
  visible,
} from "../format/mod.ts";
import { anatomyOf, damageIn, judgeImage, type Judgement, type OpenedImage } from "../image/mod.ts";
import { damageJson, damageLines, inspectionLines, stretchesIn } from "../report/mod.ts";
import { dialectOf, mustBeKnown, onlyImage, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { type Options, parseOptions } from "./options.ts";
import { scanImage, SCANNING, SCANNING_HELP, scanOptionsIn } from "./inspect_scan.ts";
import { jsonLine, Printer } from "./output.ts";
import { UsageError } from "./verb.ts";

/** The text of `inspect --help`. */
export const help = `diskproof inspect IMAGE [options]

Prints an image from its first byte to its last: every structure with its fields, their bytes,
values and meaning; every table, with contiguous entries in one row; and the ranges between
them, with what they are used for, including ranges with several uses and unreferenced ones.
A finding is printed below its row, marked with !!, or with -- if it is merely unusual. A summary
of the damage is at the top: what happened to the image, and what it cost.

  --all                print every row, table and range, however many there are
  --json               one JSON object: parts, stretches, findings
${SCANNING_HELP}
${OPENING_HELP}
  --help               this text

Exit status: 0 success, whatever is wrong with the image, 1 its format is not supported, or
--scan found nothing, 2 a file cannot be used.

Examples

  diskproof inspect --scan --write-repaired copy.qcow2 --virtual-size 10G broken.qcow2
  diskproof inspect artifacts/crash-da39a3ee5e6b4b0d3255bfef95601890afd80709
`;

/** Rows of a table, tables of a kind and plain ranges that are printed without --all. */
const SOME = { rows: 24, tables: 16, entries: 2 ** 22, stretches: 64 };
const ALL = { rows: Infinity, tables: Infinity, entries: 2 ** 26, stretches: Infinity };

/** `inspect`: the annotated anatomy of an image. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["all", "json", "scan", ...SCANNING.flags],
    values: [...OPENING.values, ...SCANNING.values],
    lists: OPENING.lists,
    letters: { ...OPENING.letters, ...SCANNING.letters },
  });
  if (options.flag("scan")) return await scanImage(onlyImage(options), options);
  const [unused] = scanOptionsIn(options);
  if (unused !== undefined) throw new UsageError(`--${unused} needs --scan`);
  const image = openNamed(onlyImage(options), options);
  try {
    mustBeKnown(image);
    inspect(image, options);
  } finally {
    image.close();
  }
  return 0;
}

function inspect(image: OpenedImage, options: Options): void {
  const judgement = judgeImage(image);
  const { findings } = judgement;
  const damage = findings.length === 0 ? undefined : damageIn(image);
  const bounds = options.flag("all") ? ALL : SOME;
  const offsets = findings.flatMap(({ offset }) => typeof offset === "number" ? [offset] : []);
  const dialect = dialectOf(options);
  const listed: AnatomyOptions = {
    ...bounds,
    marks: new Marks(offsets),
    ...(dialect === undefined ? {} : { dialect }),
  };
  const anatomy = anatomyOf(image, listed);
  const printer = new Printer();
  if (options.flag("json")) {
    for (const piece of jsonPieces(image, { judgement, damage }, anatomy)) printer.write(piece);
    printer.write("\n");
    printer.flush();
    return;
  }
  for (const line of summary(image, { judgement, damage })) printer.write(`${line}\n`);
  const source = image.header ?? image.source;
  const inspection = { source, anatomy, notes: findings, stretches: bounds.stretches };
  for (const line of inspectionLines(inspection)) printer.write(`${line}\n`);
  printer.flush();
}

interface Judged {
  readonly judgement: Judgement;
  readonly damage: DamageSummary | undefined;
}

function summary(
  image: OpenedImage,
  { judgement: { qemu, cryptsetup, spec, findings }, damage }: Judged,
): string[] {
  const { check } = qemu;
  const checked = check === null
    ? "check prints no counts"
    : `check counts ${check.corruptions} corruptions, ${check.leaks} leaks, ` +
      `${check["check-errors"]} errors`;
  const read = qemu.read === "ok" ? "reads all content" : "cannot read all content";
  const does = {
    accept: `opens it, ${read}`,
    reject: "rejects it",
    "needs-key": "opens it with a passphrase, and none is given",
    unknown: image.findings.unknown() === undefined
      ? "may open it: trying the passphrases exceeds --max-iterations"
      : "may open it: a file that it refers to is not opened",
  }[qemu.open];
  return [
    `${visible(image.path)}: ${image.format}, ${(image.header ?? image.source).size} bytes`,
    `  the format  ${spec.verdict}, ${findings.length} finding${findings.length === 1 ? "" : "s"}`,
    cryptsetup === undefined
      ? `  qemu-img    ${does}; ${checked}`
      : `  cryptsetup  ${CRYPTSETUP_DOES[cryptsetup.open]}`,
    ...(damage === undefined ? [] : damageLines(damage)).map((line, index) =>
      `  ${index === 0 ? "damage    " : "          "}  ${line}`
    ),
    "",
  ];
}

const CRYPTSETUP_DOES = {
  accept: "opens it",
  reject: "rejects it",
  "needs-key": "opens it with a passphrase, and none is given",
  unknown: "may open it: it is too large to judge completely",
} as const;

/** One JSON object, in pieces: an anatomy may be much larger than the image. */
function* jsonPieces(
  image: OpenedImage,
  { judgement, damage }: Judged,
  { parts, claims, gaps, complete }: Anatomy,
): Generator<string> {
  const { qemu, spec, findings } = judgement;
  const { size } = image.header ?? image.source;
  const head = jsonLine({
    ...{ image: image.path, format: image.format, size, qemu, spec },
    damage: damage === undefined ? null : damageJson(damage),
  });
  yield `${head.slice(0, -1)},"parts":`;
  yield* jsonList(parts, partPieces);
  yield ',"stretches":';
  yield* jsonList(stretchesIn(claims, size), ({ claims, ...stretch }) => [
    jsonLine({ ...stretch, claims: claims() }),
  ]);
  yield `,${jsonLine({ findings, gaps, complete }).slice(1)}`;
}

function* partPieces({ rows, omitted, ...part }: Part): Generator<string> {
  yield `${jsonLine(part).slice(0, -1)},"rows":`;
  yield* jsonList(rows, (row) => [jsonLine({ ...row, bytes: hexOf(row.bytes) })]);
  yield `,"omitted":${omitted}}`;
}

function* jsonList<T>(
  values: Iterable<T>,
  piecesOf: (value: T) => Iterable<string>,
): Generator<string> {
  let before = "[";
  for (const value of values) {
    yield before;
    yield* piecesOf(value);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
