import {
  changedRanges,
  type ConformanceReport,
  githubAnnotations,
  type Picture,
  pictureOf,
  renderReport,
  REPORT_FORMATS,
  type ReportFile,
  withEmbargo,
} from "../conformance/mod.ts";
import { MemorySource } from "../bytes/mod.ts";
import type { PackedImage } from "../recorded/mod.ts";
import { writeReportFile } from "./known_file.ts";
import { didYouMean } from "./nearest.ts";
import type { Options } from "./options.ts";
import { writeAll } from "./output.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** The options of reports, for the help of a verb. */
export const REPORT_HELP =
  `  --report KIND=FILE   write a report: json, junit, sarif, markdown, html or badge (may be repeated)
  --embargo            leave crashes, hangs and excessive memory out of reports and annotations`;

/**
 * The reports on the command line.
 *
 * @throws {UsageError} for an unknown kind, and where there is no file
 */
export function reportFiles(options: Options): ReportFile[] {
  return options.list("report").map((text) => {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const path = equals < 0 ? "" : text.slice(equals + 1);
    const format = REPORT_FORMATS.find((it) => it === name);
    if (format === undefined) {
      const meant = didYouMean(name, REPORT_FORMATS, "'", "'");
      throw new UsageError(`unknown kind of report '${name}'${meant}`);
    }
    if (path === "") throw new UsageError(`--report ${name} needs a file: --report ${name}=FILE`);
    return { format, path };
  });
}

/** What reports are made of. */
export interface ReportOptions {
  readonly files: readonly ReportFile[];
  /** Leave out what could be used in an attack. */
  readonly embargo: boolean;
  /** Pictures of the files of an image, for HTML; only for images with a wrong answer. */
  readonly pictures: (image: string) => readonly Picture[];
}

/**
 * Writes reports and, in a job on GitHub, the summary of the step and annotations of the worst
 * findings.
 *
 * @throws {UsageError} when a file cannot be written
 */
export function writeReports(
  whole: ConformanceReport,
  { files, embargo, pictures: draw }: ReportOptions,
): void {
  const report = embargo ? withEmbargo(whole) : whole;
  const pictures = files.some(({ format }) => format === "html")
    ? picturesOf(report, draw)
    : new Map<string, readonly Picture[]>();
  for (const { format, path } of files) {
    writeReportFile(path, renderReport(format, report, pictures));
  }
  const summary = environment("GITHUB_STEP_SUMMARY");
  if (summary !== undefined) appendSummary(summary, renderReport("markdown", report));
  // A command for GitHub is recognised on standard error as well, and never mixes with JSON there.
  if (environment("GITHUB_ACTIONS") !== "true") return;
  for (const line of githubAnnotations(report)) writeAll(Deno.stderr, `${line}\n`);
}

function picturesOf(
  { peers }: ConformanceReport,
  draw: ReportOptions["pictures"],
): Map<string, readonly Picture[]> {
  const images = new Set(
    peers.flatMap(({ findings }) => findings.flatMap(({ cases }) => cases.map((it) => it.image))),
  );
  return new Map([...images].map((image) => [image, draw(image)]));
}

/** GitHub rejects longer summaries, in bytes. */
const SUMMARY_MAX = 2 ** 20;
const TOO_LONG =
  "\n\nThe summary is too long for GitHub; --report markdown=FILE writes all of it.\n";

function appendSummary(path: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const whole = bytes.length <= SUMMARY_MAX;
  const start = whole ? text : new TextDecoder().decode(bytes.subarray(0, SUMMARY_MAX - 2 ** 10));
  try {
    Deno.writeTextFileSync(path, whole ? start : `${start}${TOO_LONG}`, { append: true });
  } catch (error) {
    throw new UsageError(`Cannot write to ${path}: ${whyUnreadable(error)}`);
  }
}

function environment(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const value = state === "granted" ? Deno.env.get(variable) : undefined;
  return value === "" ? undefined : value;
}

/**
 * Pictures of the files of a recorded image, the image itself first, with the bytes marked that differ
 * from the nearest valid image.
 */
export function recordedPictures(image: PackedImage, nearest?: PackedImage): Picture[] {
  const { format, expected, changes = [], header, subject, files } = image.record;
  const contents = image.files();
  const near = nearest?.files() ?? [];
  const main = Math.max(0, files.findIndex(({ name }) => name === (header ?? subject)));
  const order = [main, ...files.keys()].filter((at, index, all) => all.indexOf(at) === index);
  const first = format ?? expected?.format;
  return order.flatMap((at) => {
    const bytes = contents[at];
    if (bytes === undefined) return [];
    const valid = near[
      nearest?.record.files.findIndex(({ name }) => name === files[at]?.name) ?? -1
    ];
    const isMain = at === main;
    return pictureOf(new MemorySource(bytes), {
      ...(files.length > 1 ? { name: files[at]?.name ?? "" } : {}),
      ...(isMain && first !== undefined ? { format: first } : {}),
      changes: isMain ? changes : [],
      ...(valid === undefined ? {} : { differs: () => changedRanges(bytes, valid) }),
    });
  });
}
